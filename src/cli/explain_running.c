/* stagecoach explain customer --config: a customer of the running system. What happened to it comes
 * from the journal (as long as that is kept), what was decided from the outbound topics, in one
 * order of time; what the rules saw by playing the journal's events again; what it is now from its
 * stored state. */
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/explain_replay.h"
#include "cli/explain_story.h"
#include "cli/live.h"
#include "cli/who.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
    int64_t ms;
    uint32_t seq; /* as found: the order within an instant */
    struct sc_str text;
};

struct running {
    struct sc_live *lv;
    struct sc_map nodes; /* of the customer, those of absorbed ones too */
    struct sc_map told;  /* source records told already: they go through several doors */
    struct sc_replay replay;
    SC_VEC(struct row) rows;
    bool reveal;
    struct sc_buf text;
};

static void add_node(struct running *rn, const struct sc_node_id *node)
{
    struct sc_node_id *own = SC_NEW(&rn->lv->ar, struct sc_node_id);
    *own = *node;
    sc_map_put(&rn->nodes, (struct sc_str){(const char *)own->b, sizeof(own->b)}, rn);
}

static bool is_theirs(const struct running *rn, const struct sc_node_id *node)
{
    return sc_map_get(&rn->nodes, (struct sc_str){(const char *)node->b, sizeof(node->b)}) != NULL;
}

static void add_row(struct running *rn, int64_t ms)
{
    struct row row = {ms, rn->rows.n, sc_str_dup(&rn->lv->ar, sc_buf_view(&rn->text))};
    SC_VEC_PUSH(&rn->lv->ar, &rn->rows, row);
}

/* ---- the journal */

static bool is_new(struct running *rn, const struct sc_record *rec,
                   const struct sc_replay_place *place)
{
    const struct sc_origin *at = &rec->ev->origin;
    struct sc_str key = sc_str_printf(&rn->lv->ar, "%.*s:%d:%lld", SC_STR_FMT(at->topic),
                                      at->partition, (long long)at->offset);
    struct sc_replayed *known = sc_map_get(&rn->told, key);
    struct sc_replayed *re = sc_replay_add(&rn->replay, known, rec, place);
    if (known == NULL)
        sc_map_put(&rn->told, key, re);
    return known == NULL;
}

static void take_record(struct running *rn, const struct sc_record *rec,
                        const struct sc_replay_place *place)
{
    char when[32];
    if (!(is_theirs(rn, &rec->home) || is_theirs(rn, &rec->to)) || !is_new(rn, rec, place))
        return;
    rn->text.len = 0;
    sc_buf_addf(&rn->text, "[%.*s] event      ", (int)sc_time_format(rec->ev->occurred_ms, when),
                when);
    sc_live_event_text(rn->lv->project.taxonomy, rec->ev, rn->reveal, &rn->text);
    sc_buf_addf(&rn->text, "  id %.*s of %.*s\n", SC_STR_FMT(rec->ev->id),
                SC_STR_FMT(rec->ev->source_name));
    add_row(rn, rec->ev->occurred_ms);
}

static bool take_frame(void *arg, const struct sc_msg *m, const struct sc_header *hs, uint32_t n)
{
    struct running *rn = arg;
    struct sc_frame_reader rd;
    struct sc_frame_item it;
    (void)hs, (void)n;
    sc_arena_reset(&rn->lv->line, 1u << 20);
    if (!sc_frame_open(&rd, rn->lv->project.journey, m->value, &rn->lv->line))
        return true;
    struct sc_replay_place at = {m->timestamp_ms, m->partition, m->offset, 0};
    for (; sc_frame_next(&rd, &it) == 1; at.index++)
        if (it.kind == SC_REC_EVENT && it.event.type != SC_EVENT_UNKNOWN)
            take_record(rn, &it.rec, &at);
    return true;
}

static enum sc_err read_journal(struct running *rn, const struct sc_state *st)
{
    uint32_t p = rn->lv->su.engine.partitions;
    bool *only = SC_NEW_N(&rn->lv->ar, bool, p);
    only[sc_node_partition(&st->node, p)] = true;
    for (uint32_t i = 0; i < st->members.n; i++)
        only[sc_node_partition(&st->members.v[i].node, p)] = true;
    const struct sc_kafka_range range = {.topic = rn->lv->su.engine.topics.v[SC_OUT_JOURNAL].name.p,
                                         .partition = -1, .from = SC_FROM_START, .only = only,
                                         .n_only = p};
    return sc_live_read(rn->lv, &range, take_frame, rn);
}

/* ---- outbound topics */

static bool their_key(void *arg, struct sc_str key)
{
    struct sc_node_id node;
    return sc_node_parse_hex(key, &node) && is_theirs(arg, &node);
}

static bool take_effect(void *arg, const struct sc_value *fields)
{
    struct running *rn = arg;
    rn->text.len = 0;
    sc_live_effect_text(fields, &rn->text);
    add_row(rn, sc_live_at(fields));
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->seq < y->seq ? -1 : 1;
}

/* ---- what it is now */

static bool reads_pii(const struct sc_journey *jo)
{
    for (uint32_t i = 0; i < jo->n_facts; i++) {
        const struct sc_fact *fact = &jo->facts[i];
        if (fact->prop >= 0 && jo->tx->events[fact->event].props[fact->prop].pii)
            return true;
    }
    return false;
}

/* Raw identifiers are nowhere in the running system. */
static void print_state(struct running *rn, const struct sc_state *st)
{
    char when[32];
    const struct sc_journey *jo = rn->lv->project.journey;
    rn->text.len = 0;
    sc_story_customer(jo, st, NULL, NULL, &rn->text);
    for (uint32_t i = 0; i < jo->n_milestones; i++)
        if (st->milestones[i] != SC_NEVER)
            sc_buf_addf(&rn->text, "milestone %.*s: %.*s\n", SC_STR_FMT(jo->milestones[i].name),
                        (int)sc_time_format(st->milestones[i], when), when);
    for (uint32_t i = 0; i < st->consents.n; i++)
        sc_buf_addf(&rn->text, "consent %.*s: %s, %.*s\n", SC_STR_FMT(st->consents.v[i].purpose),
                    st->consents.v[i].granted ? "granted" : "withdrawn",
                    (int)sc_time_format(st->consents.v[i].at_ms, when), when);
    sc_buf_addz(&rn->text, "as stored: ");
    if (reads_pii(jo) && !rn->reveal)
        sc_buf_addz(&rn->text, "(facts read properties marked pii: --reveal)");
    else
        sc_state_customer_json(jo, st, st->last_ms == SC_NEVER ? 0 : st->last_ms, NULL, NULL,
                               &rn->text);
    printf("\n%.*s\n", (int)rn->text.len, rn->text.p);
}

static int tell(struct running *rn, const struct sc_state *st)
{
    add_node(rn, &st->node);
    for (uint32_t i = 0; i < st->members.n; i++)
        add_node(rn, &st->members.v[i].node);
    for (uint32_t i = 0; i < st->former.n; i++)
        add_node(rn, &st->former.v[i]);
    enum sc_err journal = read_journal(rn, st);
    enum sc_err e = sc_live_effects(rn->lv, their_key, take_effect, rn);
    e = e == SC_ERR_OK ? journal : e;
    if (rn->rows.n)
        qsort(rn->rows.v, rn->rows.n, sizeof(*rn->rows.v), by_time);
    for (uint32_t i = 0; i < rn->rows.n; i++)
        printf("%.*s", SC_STR_FMT(rn->rows.v[i].text));
    int64_t until_ms = rn->rows.n ? rn->rows.v[rn->rows.n - 1].ms : st->last_ms;
    sc_replay_print(&rn->replay, st, until_ms);
    print_state(rn, st);
    return e == SC_ERR_OK ? SC_EXIT_OK : SC_EXIT_UNAVAILABLE;
}

static int find_and_tell(struct running *rn, const char *identifier, const char *id)
{
    struct sc_node_id node, asked;
    struct sc_buf why = {0};
    if (!sc_who("explain", rn->lv->ps, rn->lv->project.taxonomy, identifier, id, &node))
        return SC_EXIT_USAGE;
    asked = node;
    const struct sc_state *st = sc_live_state(rn->lv, &node, &why);
    int rc = SC_EXIT_FINDINGS;
    if (why.len)
        fprintf(stderr, "stagecoach explain: %.*s\n", (int)why.len, why.p);
    if (st == NULL && rn->lv->unread)
        rc = SC_EXIT_UNAVAILABLE;
    else if (st == NULL)
        fprintf(stderr, "stagecoach explain: nothing is stored of this customer\n");
    else if (st->kind == SC_STATE_ERASED)
        fprintf(stderr, "stagecoach explain: this customer was forgotten\n");
    else
        rc = SC_EXIT_OK;
    if (rc == SC_EXIT_OK && !sc_node_eq(&asked, &node)) {
        char from[32], to[32];
        sc_node_hex(&asked, from);
        sc_node_hex(&node, to);
        printf("%.32s is part of customer %.32s\n", from, to);
    }
    sc_buf_fini(&why);
    return rc == SC_EXIT_OK ? tell(rn, st) : rc;
}

int sc_explain_running(const char *settings, const char *identifier, const char *id, bool reveal)
{
    struct sc_live lv = {0};
    struct running rn = {.lv = &lv, .reveal = reveal};
    int rc = sc_live_init(&lv, settings);
    if (rc == SC_EXIT_OK) {
        sc_map_init(&rn.nodes, &lv.ar);
        sc_map_init(&rn.told, &lv.ar);
        rn.replay = (struct sc_replay){.jo = lv.project.journey, .ar = &lv.ar, .reveal = reveal};
        rc = find_and_tell(&rn, identifier, id);
    }
    sc_buf_fini(&rn.text);
    sc_live_fini(&lv);
    return rc;
}
