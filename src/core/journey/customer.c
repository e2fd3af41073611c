/* The customer line (semantics 41): what `--customers` and the `customers` topic carry.
 *
 * Facts go by their name, with the value of the named expression; aggregates that no name covers by
 * their text. An estimate is text with `~` before it, since JSON has no approximate number. */
#include "core/analytics/cube.h"
#include "core/analytics/history.h"
#include "core/identity/identity.h"
#include "core/journey/step.h"

#include "base/assert.h"
#include <stdio.h>

struct line {
    const struct sc_journey *jo;
    const struct sc_state *st;
    sc_reveal_fn *reveal;
    void *reveal_arg;
    struct sc_jsonw w;
};

static void put_node(struct line *l, const struct sc_node_id *node)
{
    char hex[32];
    sc_node_hex(node, hex);
    sc_jsonw_str(&l->w, (struct sc_str){hex, sizeof(hex)});
}

/* A member's raw value where it is known, else its pseudonym. */
static void put_member(struct line *l, const struct sc_node_id *node)
{
    struct sc_str raw = l->reveal ? l->reveal(l->reveal_arg, node) : SC_STR_NULL;
    if (raw.len)
        sc_jsonw_str(&l->w, raw);
    else
        put_node(l, node);
}

static void put_members(struct line *l)
{
    const struct sc_state *st = l->st;
    sc_jsonw_keyz(&l->w, "members");
    sc_jsonw_obj(&l->w);
    for (uint32_t ns = 0; ns < l->jo->tx->n_namespaces; ns++) {
        bool any = false;
        for (uint32_t i = 0; i < st->members.n; i++) {
            if (sc_node_rank(&st->members.v[i].node) != l->jo->tx->namespaces[ns].rank)
                continue;
            if (!any) {
                sc_jsonw_key(&l->w, l->jo->tx->namespaces[ns].name);
                sc_jsonw_arr(&l->w);
            }
            any = true;
            put_member(l, &st->members.v[i].node);
        }
        if (any)
            sc_jsonw_arr_end(&l->w);
    }
    sc_jsonw_obj_end(&l->w);
}

static void put_milestones(struct line *l)
{
    sc_jsonw_keyz(&l->w, "milestones");
    sc_jsonw_obj(&l->w);
    for (uint32_t m = 0; m < l->jo->n_milestones; m++) {
        if (l->st->milestones[m] == SC_NEVER)
            continue;
        sc_jsonw_key(&l->w, l->jo->milestones[m].name);
        sc_jsonw_time(&l->w, l->st->milestones[m]);
    }
    sc_jsonw_obj_end(&l->w);
}

static void put_value(struct line *l, struct sc_value v)
{
    if (v.flags & SC_VF_ESTIMATE && v.type == SC_T_INT) {
        char text[32];
        int n = snprintf(text, sizeof(text), "~%lld", (long long)v.i);
        SC_ASSERT(n > 0 && (size_t)n < sizeof(text));
        sc_jsonw_str(&l->w, (struct sc_str){text, (size_t)n});
    } else {
        sc_value_json(v, &l->w);
    }
}

static void put_facts(struct line *l, const struct sc_rule_ctx *cx)
{
    sc_jsonw_keyz(&l->w, "facts");
    sc_jsonw_obj(&l->w);
    for (uint32_t i = 0; i < l->jo->n_named; i++) {
        sc_jsonw_key(&l->w, l->jo->named[i].name);
        put_value(l, sc_rule_eval(l->jo->named[i].prog, cx));
    }
    for (uint32_t i = 0; i < l->jo->n_facts; i++) {
        if (l->jo->facts[i].name.len)
            continue; /* it stands by its name */
        sc_jsonw_key(&l->w, l->jo->facts[i].text);
        put_value(l, sc_fact_read(l->jo, l->st, i, cx->now_ms));
    }
    sc_jsonw_obj_end(&l->w);
}

static void put_tracks(struct line *l)
{
    if (l->jo->tracks[l->jo->n_tracks - 1].name.len == 0)
        return; /* `stages:` alone */
    sc_jsonw_keyz(&l->w, "tracks");
    sc_jsonw_obj(&l->w);
    for (uint32_t t = 0; t < l->jo->n_tracks; t++) {
        if (l->jo->tracks[t].name.len == 0)
            continue; /* it is `stage` */
        sc_jsonw_key(&l->w, l->jo->tracks[t].name);
        sc_jsonw_str(&l->w, l->jo->stages[l->st->place[t].stage].name);
    }
    sc_jsonw_obj_end(&l->w);
}

/* What lifetime value is reckoned from (semantics 38), where analytics are on. */
static void put_clv(struct line *l, int64_t now_ms)
{
    struct sc_clv clv;
    if (!l->jo->analyse || l->st->history == NULL || !sc_history_clv(l->st->history, &clv))
        return;
    int64_t today = sc_window_start(SC_WINDOW_DAY, now_ms) / SC_DAY_MS;
    struct sc_cell value = {.metric = SC_METRIC_REPEAT_VALUE, .sum = clv.repeat_value};
    sc_jsonw_keyz(&l->w, "clv");
    sc_jsonw_obj(&l->w);
    sc_jsonw_keyz(&l->w, "frequency");
    sc_jsonw_int(&l->w, clv.frequency);
    sc_jsonw_keyz(&l->w, "recency");
    sc_jsonw_int(&l->w, clv.recency_days);
    sc_jsonw_keyz(&l->w, "T");
    sc_jsonw_int(&l->w, today - clv.first_day);
    sc_jsonw_keyz(&l->w, "repeat_value");
    sc_jsonw_raw(&l->w, sc_sum_text(l->jo, &value, l->st->ar));
    sc_jsonw_obj_end(&l->w);
}

void sc_state_customer_json(const struct sc_journey *jo, const struct sc_state *st, int64_t now_ms,
                            sc_reveal_fn *reveal, void *reveal_arg, struct sc_buf *out)
{
    SC_ASSERT(st->kind == SC_STATE_ROOT);
    SC_ASSERT((uint32_t)st->place[0].stage < jo->n_stages);
    struct line l = {.jo = jo, .st = st, .reveal = reveal, .reveal_arg = reveal_arg};
    struct sc_rule_ctx cx;
    sc_rule_bind(&cx, jo, st, NULL, now_ms, st->ar);
    sc_jsonw_init(&l.w, out);
    sc_jsonw_obj(&l.w);
    sc_jsonw_keyz(&l.w, "id");
    put_node(&l, &st->node);
    sc_jsonw_keyz(&l.w, "former_ids");
    sc_jsonw_arr(&l.w);
    for (uint32_t i = 0; i < st->former.n; i++)
        put_node(&l, &st->former.v[i]);
    sc_jsonw_arr_end(&l.w);
    put_members(&l);
    sc_jsonw_keyz(&l.w, "stage");
    sc_jsonw_str(&l.w, jo->stages[st->place[0].stage].name);
    put_tracks(&l);
    put_milestones(&l);
    put_facts(&l, &cx);
    put_clv(&l, now_ms);
    sc_jsonw_obj_end(&l.w);
}
