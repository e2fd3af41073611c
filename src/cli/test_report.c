/* See test_report.h. */
#include "cli/test_report.h"

#include "base/assert.h"

void sc_test_coverage_init(struct sc_test_coverage *cv, const struct sc_journey *jo,
                           struct sc_arena *ar)
{
    *cv = (struct sc_test_coverage){.jo = jo};
    cv->triggers = SC_NEW_N(ar, bool, jo->n_triggers + 1);
}

void sc_test_coverage_add(struct sc_test_coverage *cv, const struct sc_effect *fx)
{
    if (fx->stage >= 0)
        cv->stages |= UINT64_C(1) << fx->stage;
    if (fx->type == SC_FX_TRIGGER)
        cv->triggers[fx->trigger] = true;
    if (fx->type == SC_FX_TRANSITION && fx->from >= 0) {
        cv->moves[fx->to] |= UINT64_C(1) << fx->from;
        cv->stages |= UINT64_C(1) << fx->from;
    }
    for (uint32_t i = 0; i < fx->n_gates; ++i)
        if (!fx->gates[i].passed)
            cv->gates |= 1u << fx->gates[i].gate;
}

/* ---- what there is to reach */

static bool is_lapse(const struct sc_stage *stage)
{
    return stage->after_ms > 0;
}

/* Semantics 21: `from`, else for a rule all earlier stages and all lapses, for a lapse no lapse. */
static bool can_move(const struct sc_journey *jo, uint32_t from, uint32_t to)
{
    const struct sc_stage *stage = &jo->stages[to];
    if (from == to || jo->stages[from].track != stage->track ||
        (stage->when == NULL && !is_lapse(stage)))
        return false;
    if (stage->has_from)
        return stage->from >> from & 1;
    if (is_lapse(stage))
        return !is_lapse(&jo->stages[from]);
    return from < to || is_lapse(&jo->stages[from]);
}

static bool has_snooze(const struct sc_taxonomy *tx)
{
    for (uint32_t i = 0; i < tx->n_events; ++i)
        if (tx->events[i].role == SC_ROLE_SNOOZE)
            return true;
    return false;
}

static bool held_out(const struct sc_journey *jo, const struct sc_trigger *tr)
{
    const struct sc_experiment *ex = tr->experiment < 0 ? NULL : &jo->experiments[tr->experiment];
    bool any = (ex && ex->holdout_bp > 0) || (jo->holdout >= 0 && !tr->service);
    for (uint32_t a = 0; ex && a < ex->n_arms; ++a)
        any = any || tr->variants[a].silent;
    return any;
}

static bool trigger_has(const struct sc_journey *jo, const struct sc_trigger *tr,
                        enum sc_reason gate)
{
    if (gate == SC_REASON_LATE)
        return !tr->edge;
    if (gate == SC_REASON_EXPIRED)
        return tr->expires_ms > 0;
    if (gate == SC_REASON_COOLDOWN)
        return tr->cooldown_ms > 0;
    if (gate == SC_REASON_HOLDOUT)
        return held_out(jo, tr);
    return gate == SC_REASON_CONSENT && tr->purposes.n > 0;
}

static bool any_trigger(const struct sc_journey *jo, enum sc_reason gate)
{
    for (uint32_t i = 0; i < jo->n_triggers; ++i)
        if (trigger_has(jo, &jo->triggers[i], gate))
            return true;
    return false;
}

/* Is there anything in the journey that this gate could stop? */
static bool gate_stands(const struct sc_journey *jo, enum sc_reason gate)
{
    const struct sc_guardrails *g = &jo->guard;
    if (jo->n_triggers == 0)
        return false;
    switch (gate) {
    case SC_REASON_NONE:
    case SC_REASON_COUNT:
        return false;
    case SC_REASON_LATE:
    case SC_REASON_EXPIRED:
    case SC_REASON_COOLDOWN:
    case SC_REASON_HOLDOUT:
    case SC_REASON_CONSENT:
        return any_trigger(jo, gate);
    case SC_REASON_SNOOZED:
        return has_snooze(jo->tx);
    case SC_REASON_AMBIGUOUS_IDENTITY:
        return g->hold_ambiguous;
    case SC_REASON_HOLD:
        return g->n_hold_while > 0;
    case SC_REASON_FATIGUE:
        return g->fatigue;
    case SC_REASON_NO_CHANNEL:
        return true;
    case SC_REASON_CAP_REACHED:
        return g->n_caps > 0;
    case SC_REASON_LOWER_PRIORITY:
        return g->arbitration_ms >= 0;
    case SC_REASON_QUIET_HOURS:
        return g->quiet;
    }
    SC_UNREACHABLE("reason");
}

/* ---- the report */

struct tally {
    struct sc_buf missing;
    uint32_t reached, all;
};

static void tally(struct tally *t, bool reached, struct sc_str from, struct sc_str name)
{
    t->all++;
    t->reached += reached;
    if (reached)
        return;
    sc_buf_addz(&t->missing, t->missing.len ? ", " : "");
    sc_buf_str(&t->missing, from);
    sc_buf_addz(&t->missing, from.len ? ">" : "");
    sc_buf_str(&t->missing, name);
}

static void print_tally(struct tally *t, const char *what, struct sc_buf *out)
{
    sc_buf_addf(out, "  %-12s %u of %u", what, t->reached, t->all);
    if (t->missing.len > 0)
        sc_buf_addf(out, "; never %.*s", SC_STR_FMT(sc_buf_view(&t->missing)));
    sc_buf_char(out, '\n');
    sc_buf_fini(&t->missing);
}

void sc_test_coverage_print(const struct sc_test_coverage *cv, struct sc_buf *out)
{
    const struct sc_journey *jo = cv->jo;
    struct tally stages = {0}, moves = {0}, triggers = {0}, gates = {0};
    SC_ASSERT(jo->n_stages <= SC_STAGES_MAX);
    for (uint32_t to = 0; to < jo->n_stages; ++to) {
        tally(&stages, cv->stages >> to & 1, SC_STR_NULL, jo->stages[to].name);
        for (uint32_t from = 0; from < jo->n_stages; ++from)
            if (can_move(jo, from, to))
                tally(&moves, cv->moves[to] >> from & 1, jo->stages[from].name,
                      jo->stages[to].name);
    }
    for (uint32_t i = 0; i < jo->n_triggers; ++i)
        tally(&triggers, cv->triggers[i], SC_STR_NULL, jo->triggers[i].name);
    for (int r = 0; r < SC_REASON_COUNT; ++r)
        if (gate_stands(jo, (enum sc_reason)r))
            tally(&gates, cv->gates >> r & 1, SC_STR_NULL,
                  sc_str_from(sc_reason_name((enum sc_reason)r)));
    sc_buf_addf(out, "coverage of journey %.*s\n", SC_STR_FMT(jo->name));
    print_tally(&stages, "stages", out);
    print_tally(&moves, "transitions", out);
    print_tally(&triggers, "triggers", out);
    print_tally(&gates, "gates", out);
}

/* ---- JUnit */

/* Attribute and element text; what XML 1.0 cannot hold is left out. */
static void put_xml(struct sc_buf *out, struct sc_str s)
{
    for (size_t i = 0; i < s.len; ++i) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '&')
            sc_buf_addz(out, "&amp;");
        else if (c == '<')
            sc_buf_addz(out, "&lt;");
        else if (c == '>')
            sc_buf_addz(out, "&gt;");
        else if (c == '"')
            sc_buf_addz(out, "&quot;");
        else if (c >= ' ' || c == '\n' || c == '\t')
            sc_buf_char(out, (char)c);
    }
}

static void put_seconds(struct sc_buf *out, int64_t ms)
{
    sc_buf_addf(out, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
}

static void put_result(struct sc_buf *out, const struct sc_test_result *result)
{
    const struct sc_mark *mark = &result->tc->mark;
    sc_buf_addz(out, "  <testcase classname=\"");
    put_xml(out, mark->file->name);
    sc_buf_addz(out, "\" name=\"");
    put_xml(out, result->tc->name);
    sc_buf_addz(out, "\" file=\"");
    put_xml(out, mark->file->name);
    sc_buf_addf(out, "\" line=\"%u\" time=\"", mark->line);
    put_seconds(out, result->took_ms);
    if (result->failure.len == 0) {
        sc_buf_addz(out, "\"/>\n");
        return;
    }
    sc_buf_addz(out, "\">\n    <failure message=\"not what was expected\">");
    put_xml(out, result->failure);
    sc_buf_addz(out, "</failure>\n  </testcase>\n");
}

void sc_test_junit(const struct sc_journey *jo, const struct sc_test_result *results, uint32_t n,
                   struct sc_buf *out)
{
    uint32_t failures = 0;
    int64_t took_ms = 0;
    for (uint32_t i = 0; i < n; ++i) {
        failures += results[i].failure.len > 0;
        took_ms += results[i].took_ms;
    }
    sc_buf_addz(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    put_xml(out, jo->name);
    sc_buf_addf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"", n, failures);
    put_seconds(out, took_ms);
    sc_buf_addz(out, "\">\n");
    for (uint32_t i = 0; i < n; ++i)
        put_result(out, &results[i]);
    sc_buf_addz(out, "</testsuite>\n");
}
