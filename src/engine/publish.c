/* See publish.h. Key = customer id in hex, partition as Java's default partitioner would choose. */
#include "engine/publish.h"

#include "base/assert.h"
#include "base/hash.h"
#include "codec/outbound.h"
#include "core/identity/identity.h"

static uint16_t topic_of(const struct sc_effect *fx)
{
    switch (sc_outbound_kind(fx)) {
    case SC_OB_TRIGGER:
        SC_ASSERT(fx->channel >= 0);
        return (uint16_t)(SC_OUT_TRIGGERS + fx->channel);
    case SC_OB_SUPPRESSED:
        return SC_OUT_SUPPRESSED;
    case SC_OB_TRANSITION:
        return SC_OUT_TRANSITIONS;
    case SC_OB_IDENTITY:
        return SC_OUT_IDENTITY;
    case SC_OB_CUSTOMER:
    case SC_OB_ANALYTICS:
    case SC_OB_COUNT:
        break;
    }
    SC_UNREACHABLE("an effect without a topic");
}

static void count(struct sc_worker *w, const struct sc_effect *fx)
{
    struct sc_counters *c = &w->txn;
    switch ((enum sc_effect_type)fx->type) {
    case SC_FX_TRIGGER:
        sc_count(&c->triggers, 1);
        sc_count(&c->channels[fx->channel], 1);
        break;
    case SC_FX_SUPPRESSED:
        sc_count(&c->suppressed, 1);
        sc_count(&c->reasons[fx->reason], 1);
        if (fx->reason == SC_REASON_LATE)
            sc_count(&c->late[fx->trigger], 1);
        break;
    case SC_FX_DEFERRED:
        sc_count(&c->deferred, 1);
        break;
    case SC_FX_CANCELLED:
        sc_count(&c->cancelled, 1);
        break;
    case SC_FX_TRANSITION:
        sc_count(&c->transitions, 1);
        break;
    case SC_FX_MILESTONE:
        sc_count(&c->milestones, 1);
        break;
    case SC_FX_MERGED:
        sc_count(&c->merges, 1);
        break;
    case SC_FX_IDENTITY:
        sc_count(&c->violations, fx->violation != SC_VIOLATION_NONE);
        break;
    }
}

static enum sc_err produce(struct sc_publisher *pb, uint16_t topic, struct sc_out *out,
                           const struct sc_node_id *customer)
{
    char key[32];
    sc_node_hex(customer, key);
    out->topic = topic;
    out->partition = -1;
    out->key = (struct sc_str){key, sizeof(key)};
    return pb->w->log->ops->produce(pb->w->log, out);
}

enum sc_err sc_publish_effect(struct sc_publisher *pb, const struct sc_effect *fx)
{
    uint16_t topic = topic_of(fx);
    const struct sc_out_topic *to = &pb->w->cfg->topics.v[topic];
    count(pb->w, fx);
    if (!to->on)
        return SC_ERR_OK;
    struct sc_header headers[SC_CE_HEADERS_MAX + 1];
    struct sc_out out = {.headers = headers};
    if (!pb->w->cfg->no_cloudevents)
        out.n_headers = sc_outbound_headers(pb->w->cfg->jo, fx, to->format, pb->ar, headers);
    if (fx->traceparent.len)
        headers[out.n_headers++] = (struct sc_header){SC_STR("traceparent"), fx->traceparent};
    pb->value.len = 0;
    sc_outbound_effect(pb->w->cfg->jo, fx, to->format, to->schema_id, &pb->value);
    out.value = sc_buf_view(&pb->value);
    return produce(pb, topic, &out, &fx->customer);
}

enum sc_err sc_publish_customer(struct sc_publisher *pb, const struct sc_state *st,
                                int64_t now_ms)
{
    const struct sc_out_topic *to = &pb->w->cfg->topics.v[SC_OUT_CUSTOMERS];
    if (!to->on || st->kind != SC_STATE_ROOT || st->n_events == 0)
        return SC_ERR_OK;
    int64_t now = st->last_ms > now_ms ? st->last_ms : now_ms;
    struct sc_buf line = {0};
    sc_state_customer_json(pb->w->cfg->jo, st, now, NULL, NULL, &line);
    pb->value.len = 0;
    sc_outbound_customer(sc_buf_view(&line), to->format, to->schema_id, &pb->value);
    sc_buf_fini(&line);
    struct sc_out out = {.value = sc_buf_view(&pb->value)};
    return produce(pb, SC_OUT_CUSTOMERS, &out, &st->node);
}

enum sc_err sc_publish_cell(struct sc_publisher *pb, const struct sc_cell *cell,
                            const struct sc_commit_name *name)
{
    const struct sc_journey *jo = pb->w->cfg->jo;
    const struct sc_out_topic *to = &pb->w->cfg->topics.v[SC_OUT_ANALYTICS];
    SC_ASSERT(to->on);
    struct sc_header headers[SC_CE_HEADERS_MAX];
    struct sc_out out = {.topic = SC_OUT_ANALYTICS, .partition = -1, .headers = headers};
    out.key = sc_outbound_cell_key(jo, cell, pb->ar);
    uint64_t what[4] = {sc_hash_xxh3(out.key.p, out.key.len, 0), name->incarnation, name->seq,
                        name->partition};
    uint8_t id[16];
    sc_hash_xxh3_128(what, sizeof(what), id);
    if (!pb->w->cfg->no_cloudevents)
        out.n_headers = sc_outbound_cell_headers(jo, cell, to->format, id, pb->ar, headers);
    pb->value.len = 0;
    sc_outbound_cell(jo, cell, to->format, to->schema_id, &pb->value);
    out.value = sc_buf_view(&pb->value);
    return pb->w->log->ops->produce(pb->w->log, &out);
}

enum sc_err sc_publish_gone(struct sc_publisher *pb, const struct sc_node_id *node)
{
    if (!pb->w->cfg->topics.v[SC_OUT_CUSTOMERS].on)
        return SC_ERR_OK;
    struct sc_out out = {0};
    return produce(pb, SC_OUT_CUSTOMERS, &out, node);
}

void sc_publish_counts(struct sc_publisher *pb, const struct sc_step_counts *n)
{
    struct sc_counters *c = &pb->w->txn;
    sc_count(&c->applied, n->applied);
    sc_count(&c->duplicates, n->duplicates);
    sc_count(&c->drops[SC_DROP_DUPLICATE], n->duplicates);
    sc_count(&c->drops[SC_DROP_ERASED], n->erased);
    sc_count(&c->clashes, n->clashes);
    sc_count(&c->late_events, n->late);
    sc_count(&c->erased_events, n->erased);
    sc_count(&c->forwarded, n->forwarded);
    sc_count(&c->dedupe_evicted, n->dedupe_evicted);
    sc_count(&c->reorder_early, n->reorder_early);
    sc_count(&c->timers_fired, n->timers_fired);
    sc_count(&c->contexts_cut, n->contexts_cut);
    sc_count(&c->large_customers, n->large_customers);
}
