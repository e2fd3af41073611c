/* What explain and failing tests print: one line a decision, in columns.
 *
 *   [2026-03-02 10:00] cart_updated value=80
 *     rule    value >= 20                       80 >= 20           -> match
 *
 * Nobody traces in production: each call is then one branch. */
#include "core/journey/run.h"

#include "base/assert.h"

#define TRACE_PARTS_MAX 6 /* values of one rule that are printed */

const char *sc_trace_time(struct sc_arena *ar, int64_t ms)
{
    SC_ASSERT(ms != SC_NEVER);
    struct sc_civil c;
    sc_civil_from_ms(ms, &c);
    return c.second == 0 && c.nanos == 0
               ? sc_arena_printf(ar, "%04d-%02u-%02u %02u:%02u", c.year, c.month, c.day, c.hour,
                                 c.minute)
               : sc_arena_printf(ar, "%04d-%02u-%02u %02u:%02u:%02u", c.year, c.month, c.day,
                                 c.hour, c.minute, c.second);
}

void sc_trace_line(struct sc_effects *fx, const char *part, struct sc_str what, const char *result,
                   const char *fmt, ...)
{
    SC_ASSERT(fx->trace != NULL);
    SC_ASSERT(part != NULL && fmt != NULL);
    va_list args;
    va_start(args, fmt);
    size_t len;
    const char *detail = sc_arena_vprintf(fx->ar, &len, fmt, args);
    va_end(args);
    struct sc_str line = sc_str_printf(fx->ar, "  %-7s %-33.*s %-18s%s%s", part, SC_STR_FMT(what),
                                       detail, result ? " -> " : "", result ? result : "");
    while (line.len > 0 && line.p[line.len - 1] == ' ')
        line.len--;
    SC_VEC_PUSH(fx->ar, &fx->trace->lines, line);
}

/* ---- what is personal is not shown, unless asked for */

static bool contains(struct sc_str text, struct sc_str word)
{
    for (size_t i = 0; word.len > 0 && i + word.len <= text.len; i++)
        if (memcmp(text.p + i, word.p, word.len) == 0)
            return true;
    return false;
}

static bool reads_pii(const struct sc_journey *jo, const struct sc_prog *prog)
{
    const struct sc_rule_info *info = sc_rule_info(prog);
    for (uint32_t i = 0; i < info->n_facts; i++) {
        const struct sc_fact *fact = &jo->facts[info->facts[i]];
        SC_ASSERT(fact->event < jo->tx->n_events);
        if (fact->prop >= 0 && jo->tx->events[fact->event].props[fact->prop].pii)
            return true;
    }
    return false;
}

/* May the value of this sub-expression be personal? It goes by the names in it, and hides rather
 * too much: a property's, a named fact's; `recent` shows whole events. */
static bool may_be_pii(const struct sc_journey *jo, struct sc_str text)
{
    bool recent = contains(text, SC_STR("recent("));
    for (uint32_t e = 0; e < jo->tx->n_events; e++) {
        const struct sc_event_type *et = &jo->tx->events[e];
        for (uint32_t i = 0; i < et->n_props; i++)
            if (et->props[i].pii && (recent || contains(text, et->props[i].name)))
                return true;
    }
    for (uint32_t i = 0; i < jo->n_named; i++)
        if (contains(text, jo->named[i].name) && reads_pii(jo, jo->named[i].prog))
            return true;
    return false;
}

void sc_trace_merged(struct sc_effects *fx, int64_t at_ms)
{
    SC_ASSERT(at_ms != SC_NEVER);
    if (fx->trace != NULL)
        SC_VEC_PUSH(fx->ar, &fx->trace->lines,
                    sc_str_printf(fx->ar, "[%s] merge", sc_trace_time(fx->ar, at_ms)));
}

void sc_trace_event_line(struct sc_effects *fx, const struct sc_journey *jo,
                         const struct sc_event *ev)
{
    SC_ASSERT(fx->trace != NULL);
    const struct sc_event_type *et = &jo->tx->events[ev->type];
    struct sc_buf line = {.ar = fx->ar};
    sc_buf_addf(&line, "[%s] %.*s", sc_trace_time(fx->ar, ev->occurred_ms), SC_STR_FMT(et->name));
    for (uint32_t i = 0; i < ev->n_props; i++) {
        if (!sc_is_value(ev->props[i]))
            continue;
        sc_buf_addf(&line, " %.*s=", SC_STR_FMT(et->props[i].name));
        struct sc_jsonw w;
        sc_jsonw_init(&w, &line);
        bool hidden = et->props[i].pii && !fx->trace->reveal;
        sc_value_json(hidden ? sc_string(SC_STR("(pii)")) : ev->props[i], &w);
    }
    SC_VEC_PUSH(fx->ar, &fx->trace->lines, sc_buf_view(&line));
}

/* `count("a") = 3, event.total = 40`: sub-expressions whose text is not already their value. */
static const char *parts_text(struct sc_run *rn, struct sc_str rule,
                              const struct sc_rule_trace *trace)
{
    struct sc_buf out = {.ar = rn->fx->ar};
    uint32_t shown = 0;
    for (uint32_t i = 0; i < trace->steps.n && shown < TRACE_PARTS_MAX; i++) {
        const struct sc_trace_step *step = &trace->steps.v[i];
        SC_ASSERT(step->offset <= rule.len && step->len <= rule.len - step->offset);
        struct sc_str text = {rule.p + step->offset, step->len};
        struct sc_buf value = {.ar = rn->fx->ar};
        struct sc_jsonw w;
        bool hidden = !rn->fx->trace->reveal && may_be_pii(rn->jo, text);
        sc_jsonw_init(&w, &value);
        if (step->value.type == SC_T_ERROR)
            sc_buf_addz(&value, sc_value_err_text((enum sc_value_err)step->value.i));
        else
            sc_value_json(hidden ? sc_string(SC_STR("(pii)")) : step->value, &w);
        if (step->len == rule.len || sc_str_eq(text, sc_buf_view(&value)) ||
            step->value.type == SC_T_BOOL)
            continue;
        sc_buf_addf(&out, "%s%.*s = %.*s", shown++ ? ", " : "", SC_STR_FMT(text),
                    SC_STR_FMT(sc_buf_view(&value)));
    }
    sc_buf_char(&out, '\0');
    return out.p;
}

bool sc_trace_rule(struct sc_run *rn, const char *part, const struct sc_prog *prog)
{
    SC_ASSERT(rn->fx->trace != NULL);
    struct sc_rule_trace trace = {0};
    rn->cx.trace = &trace;
    bool holds = sc_rule_holds(prog, &rn->cx);
    rn->cx.trace = NULL;
    struct sc_str text = sc_rule_text(prog);
    sc_trace(rn->fx, part, text, holds ? "match" : "no", "%s", parts_text(rn, text, &trace));
    return holds;
}
