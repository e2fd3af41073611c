/* See broker.h. Members of a group, and the log port each of them is. */
#include "sim/broker_priv.h"

#include "base/assert.h"
#include <stdlib.h>
#include <time.h>

#define POLL_STEP_MS 2

/* ---- groups */

static uint32_t members_of(struct sc_broker *b, const char *group)
{
    uint32_t n = 0;
    for (struct member *m = b->members; m; m = m->next)
        n += !m->dead && strcmp(m->group, group) == 0;
    return n;
}

/* Round robin over all partitions of all topics, members in order of their names. */
static void rebalance(struct sc_broker *b, const char *group)
{
    uint32_t n = members_of(b, group), at = 0;
    struct member **ms = sc_calloc(n + 1, sizeof(*ms));
    for (struct member *m = b->members; m; m = m->next) {
        if (m->dead || strcmp(m->group, group) != 0)
            continue;
        uint32_t i = at++;
        for (; i > 0 && strcmp(ms[i - 1]->writer, m->writer) > 0; i--)
            ms[i] = ms[i - 1];
        ms[i] = m;
        m->n_owned = 0;
        m->rebalanced = true;
        m->generation = ++b->generation;
    }
    uint32_t turn = 0;
    for (uint32_t t = 0; n && t < ms[0]->cfg.n_inputs; t++) {
        for (int32_t p = 0; p < ms[0]->inputs[t]->n; p++) {
            struct member *m = ms[turn++ % n];
            m->owned = sc_realloc(m->owned, (m->n_owned + 1) * sizeof(*m->owned));
            m->owned[m->n_owned++] = (struct sc_tp){.topic = (uint16_t)t, .partition = p,
                                                    .offset = -1};
        }
    }
    free(ms);
}

/* ---- the port */

static struct member *member_of(struct sc_log *lg)
{
    return (struct member *)lg;
}

/* The dead do nothing more; the living may be stopped by a fault. */
static enum sc_err enter(struct member *m, enum sc_broker_call call)
{
    enum sc_err e = SC_ERR_OK;
    if (!m->dead && m->b->fault)
        e = m->b->fault(m->b->fault_arg, m->writer, call);
    return m->dead ? SC_ERR_FATAL : e;
}

static void unpin(struct member *m)
{
    for (uint32_t i = 0; i < m->n_msgs; i++) {
        struct message *msg = m->msgs[i].raw;
        SC_ASSERT(msg->pins > 0);
        msg->pins--;
    }
    m->n_msgs = 0;
}

static uint32_t fill(struct member *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->n_owned; i++) {
        struct sc_tp *tp = &m->owned[i];
        struct partition *p = &m->inputs[tp->topic]->parts[tp->partition];
        int64_t end = sc_broker_stable(p);
        if (tp->offset >= 0 && (tp->offset < p->base || tp->offset > p->base + (int64_t)p->n)) {
            tp->offset = -1; /* its place is gone: the worker must find out what that means */
            m->rebalanced = true;
        }
        /* a share each, so that one full partition does not starve the others */
        uint32_t most = n + SC_BATCH_MAX / m->n_owned;
        while (tp->offset >= 0 && tp->offset < end && n < most) {
            struct message *msg = p->v[tp->offset++ - p->base];
            if (!sc_broker_visible(msg))
                continue;
            msg->pins++;
            m->msgs[n++] = sc_broker_msg(msg, tp->topic, tp->partition);
        }
    }
    m->n_msgs = n;
    return n;
}

static void nap(const struct sc_broker *b, int ms)
{
    if (b->sleep) {
        b->sleep(b->sleep_arg, ms);
        return;
    }
    struct timespec step = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&step, NULL);
}

static enum sc_err port_poll(struct sc_log *lg, int timeout_ms, struct sc_poll_result *out)
{
    struct member *m = member_of(lg);
    enum sc_err e = enter(m, SC_CALL_POLL);
    *out = (struct sc_poll_result){.what = SC_POLL_NOTHING, .msgs = m->msgs};
    if (e != SC_ERR_OK)
        return e;
    for (int waited = 0;; waited += POLL_STEP_MS) {
        pthread_mutex_lock(&m->b->lock);
        sc_txn_abort_open(m->b, NULL);
        unpin(m);
        if (!m->rebalanced)
            out->n = fill(m);
        if (m->rebalanced) {
            unpin(m);
            *out = (struct sc_poll_result){.what = SC_POLL_REBALANCED, .msgs = m->msgs};
        } else if (out->n > 0) {
            out->what = SC_POLL_MESSAGES;
        }
        m->rebalanced = false;
        m->known = m->generation;
        pthread_mutex_unlock(&m->b->lock);
        if (m->dead)
            return SC_ERR_FATAL;
        if (out->what != SC_POLL_NOTHING || waited >= timeout_ms)
            return SC_ERR_OK;
        nap(m->b, POLL_STEP_MS);
    }
}

static void port_release(struct sc_log *lg)
{
    struct member *m = member_of(lg);
    pthread_mutex_lock(&m->b->lock);
    unpin(m);
    pthread_mutex_unlock(&m->b->lock);
}

static uint32_t port_headers(struct sc_log *lg, const struct sc_msg *msg, struct sc_header *out,
                             uint32_t max)
{
    (void)lg;
    const struct message *m = msg->raw;
    uint32_t n = m->n_headers < max ? m->n_headers : max;
    for (uint32_t i = 0; i < n; i++)
        out[i] = m->headers[i];
    return n;
}

static struct sc_str port_header(struct sc_log *lg, const struct sc_msg *msg, struct sc_str name)
{
    (void)lg;
    const struct message *m = msg->raw;
    for (uint32_t i = 0; i < m->n_headers; i++)
        if (sc_str_eq(m->headers[i].name, name))
            return m->headers[i].value;
    return SC_STR_NULL;
}

static uint32_t port_assigned(struct sc_log *lg, const struct sc_tp **out)
{
    struct member *m = member_of(lg);
    *out = m->owned;
    return m->n_owned;
}

static enum sc_err port_committed(struct sc_log *lg, struct sc_tp *parts, uint32_t n,
                                  int timeout_ms, struct sc_arena *ar)
{
    struct member *m = member_of(lg);
    (void)timeout_ms;
    if (m->dead)
        return SC_ERR_FATAL;
    pthread_mutex_lock(&m->b->lock);
    for (uint32_t i = 0; i < n; i++) {
        const struct offset *o =
            sc_broker_offset(m->b, m->group, m->inputs[parts[i].topic], parts[i].partition, false);
        parts[i].offset = o ? o->offset : -1;
        parts[i].metadata = o ? sc_str_dup(ar, sc_str_from(o->metadata)) : SC_STR_NULL;
    }
    pthread_mutex_unlock(&m->b->lock);
    return SC_ERR_OK;
}

static enum sc_err port_last_metadata(struct sc_log *lg, const struct sc_tp *part,
                                      struct sc_arena *ar, struct sc_str *metadata)
{
    struct sc_tp tp = *part;
    enum sc_err e = port_committed(lg, &tp, 1, 0, ar);
    *metadata = tp.metadata;
    return e;
}

static enum sc_err port_rewind(struct sc_log *lg, const struct sc_tp *parts, uint32_t n)
{
    struct member *m = member_of(lg);
    if (m->dead)
        return SC_ERR_FATAL;
    pthread_mutex_lock(&m->b->lock);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < m->n_owned; k++)
            if (m->owned[k].topic == parts[i].topic && m->owned[k].partition == parts[i].partition)
                m->owned[k].offset = parts[i].offset;
    pthread_mutex_unlock(&m->b->lock);
    return SC_ERR_OK;
}

static enum sc_err ends(struct sc_broker *b, const struct topic *t, int32_t partition,
                        int64_t *low, int64_t *high, int64_t *stable)
{
    pthread_mutex_lock(&b->lock);
    struct partition *p = &t->parts[partition];
    *low = p->base;
    *high = p->base + (int64_t)p->n;
    *stable = sc_broker_stable(p);
    pthread_mutex_unlock(&b->lock);
    return SC_ERR_OK;
}

static enum sc_err port_watermarks(struct sc_log *lg, uint16_t topic, int32_t partition,
                                   int64_t *low, int64_t *high, int64_t *stable)
{
    struct member *m = member_of(lg);
    enum sc_err e = enter(m, SC_CALL_ENDS);
    return e == SC_ERR_OK ? ends(m->b, m->inputs[topic], partition, low, high, stable) : e;
}

static struct topic *output(struct member *m, uint16_t topic)
{
    return sc_broker_find(m->b, m->cfg.outputs->v[topic].name.p);
}

static enum sc_err port_out_watermarks(struct sc_log *lg, uint16_t topic, int32_t partition,
                                       int64_t *low, int64_t *high, int64_t *stable)
{
    struct member *m = member_of(lg);
    return ends(m->b, output(m, topic), partition, low, high, stable);
}

static enum sc_err port_offset_at(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t ms,
                                  int64_t *offset)
{
    struct member *m = member_of(lg);
    pthread_mutex_lock(&m->b->lock);
    const struct partition *p = &m->inputs[topic]->parts[partition];
    uint64_t i = 0;
    while (i < p->n && p->v[i]->timestamp_ms < ms)
        i++;
    *offset = p->base + (int64_t)i;
    pthread_mutex_unlock(&m->b->lock);
    return SC_ERR_OK;
}

static int64_t behind(const struct member *m, const struct sc_tp *tp)
{
    struct partition *p = &m->inputs[tp->topic]->parts[tp->partition];
    return tp->offset < 0 ? 0 : sc_broker_stable(p) - tp->offset;
}

static bool at_high(const struct member *m, const struct sc_tp *tp)
{
    const struct partition *p = &m->inputs[tp->topic]->parts[tp->partition];
    return tp->offset >= 0 && tp->offset >= p->base + (int64_t)p->n;
}

static bool port_at_end(struct sc_log *lg, uint16_t topic, int32_t partition)
{
    struct member *m = member_of(lg);
    bool end = false;
    pthread_mutex_lock(&m->b->lock);
    for (uint32_t i = 0; i < m->n_owned; i++)
        if (m->owned[i].topic == topic && m->owned[i].partition == partition)
            end = at_high(m, &m->owned[i]); /* as on Kafka, what is open counts as there */
    pthread_mutex_unlock(&m->b->lock);
    return end;
}

static int32_t port_partitions(struct sc_log *lg, uint16_t topic)
{
    return member_of(lg)->inputs[topic]->n;
}

static int64_t port_lag(struct sc_log *lg)
{
    struct member *m = member_of(lg);
    int64_t sum = 0;
    pthread_mutex_lock(&m->b->lock);
    for (uint32_t i = 0; i < m->n_owned; i++)
        sum += behind(m, &m->owned[i]) > 0 ? behind(m, &m->owned[i]) : 0;
    pthread_mutex_unlock(&m->b->lock);
    return sum;
}

/* ---- the port's transactions */

static enum sc_err port_begin(struct sc_log *lg)
{
    struct member *m = member_of(lg);
    enum sc_err e = enter(m, SC_CALL_BEGIN);
    if (e != SC_ERR_OK)
        return e;
    pthread_mutex_lock(&m->b->lock);
    SC_ASSERT(m->txn == NULL);
    if (m->generation != m->known) { /* it was not polled since, and does not know what it owns */
        pthread_mutex_unlock(&m->b->lock);
        return SC_ERR_FENCED;
    }
    m->txn = sc_calloc(1, sizeof(*m->txn));
    memcpy(m->txn->writer, m->writer, sizeof(m->writer));
    m->txn->opened_ms = m->b->clock.mono_ms(m->b->clock.arg);
    m->txn->refs = 1;
    m->txn->next = m->b->open;
    m->b->open = m->txn;
    m->txn_generation = m->generation;
    m->n_marks = 0;
    pthread_mutex_unlock(&m->b->lock);
    return SC_ERR_OK;
}

static enum sc_err produce(struct member *m, const struct sc_out *out, struct message **made)
{
    enum sc_err e = enter(m, SC_CALL_PRODUCE);
    if (e != SC_ERR_OK)
        return e;
    pthread_mutex_lock(&m->b->lock);
    SC_ASSERT(m->txn != NULL);
    struct topic *t = output(m, out->topic);
    SC_ASSERT(t != NULL);
    *made = sc_broker_put(m->b, t, out, m->txn);
    pthread_mutex_unlock(&m->b->lock);
    return SC_ERR_OK;
}

static enum sc_err port_produce(struct sc_log *lg, const struct sc_out *out)
{
    struct message *made;
    return produce(member_of(lg), out, &made);
}

static enum sc_err port_produce_marked(struct sc_log *lg, const struct sc_out *out, uint32_t *mark)
{
    struct member *m = member_of(lg);
    SC_ASSERT(m->n_marks < sizeof(m->marks) / sizeof(m->marks[0]));
    *mark = m->n_marks++;
    return produce(m, out, &m->marks[*mark]);
}

static int64_t port_mark_offset(struct sc_log *lg, uint32_t mark)
{
    struct member *m = member_of(lg);
    SC_ASSERT(mark < m->n_marks);
    return m->marks[mark]->offset;
}

static enum sc_err port_flush(struct sc_log *lg)
{
    return enter(member_of(lg), SC_CALL_FLUSH);
}

static void end_txn(struct member *m, enum txn_status status)
{
    sc_txn_end(m->b, m->txn, status);
    sc_txn_unref(m->txn);
    m->txn = NULL;
}

static void port_abort(struct sc_log *lg)
{
    struct member *m = member_of(lg);
    pthread_mutex_lock(&m->b->lock);
    if (m->txn && !m->dead)
        end_txn(m, TXN_ABORTED);
    pthread_mutex_unlock(&m->b->lock);
}

static enum sc_err port_commit(struct sc_log *lg, const struct sc_tp *tps, uint32_t n)
{
    struct member *m = member_of(lg);
    SC_ASSERT(n > 0);
    enum sc_err e = enter(m, SC_CALL_COMMIT);
    pthread_mutex_lock(&m->b->lock);
    if (m->dead) {
        pthread_mutex_unlock(&m->b->lock);
        return SC_ERR_FATAL;
    }
    if (m->txn_generation != m->generation || m->txn->status != TXN_OPEN)
        e = SC_ERR_FENCED;
    for (uint32_t i = 0; e == SC_ERR_OK && i < n; i++) {
        struct offset *o =
            sc_broker_offset(m->b, m->group, m->inputs[tps[i].topic], tps[i].partition, true);
        SC_ASSERT(tps[i].offset >= 0 && tps[i].metadata.len < sizeof(o->metadata));
        o->offset = tps[i].offset;
        memcpy(o->metadata, tps[i].metadata.p, tps[i].metadata.len);
        o->metadata[tps[i].metadata.len] = '\0';
    }
    end_txn(m, e == SC_ERR_OK ? TXN_COMMITTED : TXN_ABORTED);
    pthread_mutex_unlock(&m->b->lock);
    return e == SC_ERR_OK ? enter(m, SC_CALL_COMMITTED) : e;
}

static enum sc_err port_replay(struct sc_log *lg, uint16_t topic, int32_t partition, int64_t from,
                               int64_t until, bool (*fn)(void *arg, const struct sc_msg *m),
                               void *arg)
{
    struct member *m = member_of(lg);
    (void)until; /* fn knows where to stop */
    if (m->dead)
        return SC_ERR_FATAL;
    sc_broker_read(m->b, m->cfg.outputs->v[topic].name.p, partition, from, fn, arg);
    return SC_ERR_OK;
}

static enum sc_err port_fence(struct sc_log *lg, struct sc_str writer)
{
    struct member *m = member_of(lg);
    char id[WRITER_MAX] = "";
    memcpy(id, writer.p, writer.len < WRITER_MAX ? writer.len : WRITER_MAX - 1);
    if (m->dead)
        return SC_ERR_FATAL;
    pthread_mutex_lock(&m->b->lock);
    sc_txn_abort_open(m->b, id);
    pthread_mutex_unlock(&m->b->lock);
    return SC_ERR_OK;
}

static bool port_member_alive(struct sc_log *lg, struct sc_str writer)
{
    struct member *m = member_of(lg);
    bool alive = false;
    pthread_mutex_lock(&m->b->lock);
    for (struct member *x = m->b->members; x; x = x->next)
        alive |= !x->dead && sc_str_eqz(writer, x->writer);
    pthread_mutex_unlock(&m->b->lock);
    return alive;
}

static void leave(struct member *m)
{
    struct sc_broker *b = m->b;
    if (m->dead)
        return;
    m->dead = true;
    for (struct member **at = &b->members; *at; at = &(*at)->next)
        if (*at == m) {
            *at = m->next;
            break;
        }
    rebalance(b, m->group);
}

static void member_free(struct member *m)
{
    unpin(m);
    if (m->txn)
        sc_txn_unref(m->txn); /* killed: it stays open */
    free(m->owned);
    free(m->inputs);
    free(m);
}

static void port_close(struct sc_log *lg)
{
    struct member *m = member_of(lg);
    port_abort(lg);
    pthread_mutex_lock(&m->b->lock);
    struct sc_broker *b = m->b;
    leave(m);
    member_free(m);
    pthread_mutex_unlock(&b->lock);
}

void sc_broker_log_kill(struct sc_log *lg)
{
    struct member *m = member_of(lg);
    pthread_mutex_lock(&m->b->lock);
    leave(m);
    pthread_mutex_unlock(&m->b->lock);
}

static const struct sc_log_ops ops = {
    .poll = port_poll,
    .release = port_release,
    .headers = port_headers,
    .header = port_header,
    .assigned = port_assigned,
    .committed = port_committed,
    .last_metadata = port_last_metadata,
    .rewind = port_rewind,
    .watermarks = port_watermarks,
    .offset_at = port_offset_at,
    .at_end = port_at_end,
    .partitions = port_partitions,
    .lag = port_lag,
    .begin = port_begin,
    .produce = port_produce,
    .produce_marked = port_produce_marked,
    .mark_offset = port_mark_offset,
    .flush = port_flush,
    .commit = port_commit,
    .abort = port_abort,
    .replay = port_replay,
    .out_watermarks = port_out_watermarks,
    .fence = port_fence,
    .member_alive = port_member_alive,
    .close = port_close,
};

struct sc_log *sc_broker_log_create(struct sc_broker *b, const struct sc_broker_log_config *cfg)
{
    struct member *m = sc_calloc(1, sizeof(*m));
    m->base.ops = &ops;
    m->b = b;
    m->cfg = *cfg;
    SC_ASSERT(strlen(cfg->group) < WRITER_MAX && strlen(cfg->writer) < WRITER_MAX);
    memcpy(m->group, cfg->group, strlen(cfg->group));
    memcpy(m->writer, cfg->writer, strlen(cfg->writer));
    pthread_mutex_lock(&b->lock);
    m->inputs = sc_calloc(cfg->n_inputs + 1, sizeof(struct topic *));
    for (uint32_t i = 0; i < cfg->n_inputs; i++) {
        m->inputs[i] = sc_broker_find(b, cfg->inputs[i]);
        SC_ASSERT(m->inputs[i] != NULL);
    }
    sc_txn_abort_open(b, m->writer);
    m->next = b->members;
    b->members = m;
    rebalance(b, m->group);
    m->known = m->generation;
    pthread_mutex_unlock(&b->lock);
    return &m->base;
}
