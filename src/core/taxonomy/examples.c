/* The dictionary's own tests: examples must be accepted, anti-examples rejected, by the very
 * function that checks records. */
#include "base/assert.h"
#include "core/taxonomy/intake.h"
#include "core/taxonomy/load.h"

/* Each value against its property, faults reported or only said; sets the bits of those given. */
static bool check_values(struct sc_tx_load *ld, const struct sc_event_type *et,
                         struct sc_node *example, bool report, uint64_t *given)
{
    bool valid = true;
    for (uint32_t i = 0; i < example->n; i++) {
        struct sc_node *key = example->pairs[i].key, *node = example->pairs[i].value;
        int prop = sc_event_type_prop(et, key->text);
        if (prop < 0 && !report && sc_str_eqz(key->text, "why"))
            continue;
        prop = prop < 0 ? sc_tx_property_ref(ld, et, key->text, key) : prop;
        if (prop < 0)
            continue;
        const struct sc_property *p = &et->props[prop];
        struct sc_value v = sc_tx_literal(node, ld->ar);
        enum sc_drop drop = sc_intake_property(p, NULL, NULL, ld->ar, &v);
        given[prop / 64] |= (uint64_t)sc_is_value(v) << (prop % 64);
        valid = valid && drop == SC_DROP_NONE;
        char type[32];
        if (drop != SC_DROP_NONE && report)
            SC_TX_ERROR(ld, "bad-example", node->mark, "%s: '%.*s' is %s", sc_drop_text(drop),
                        SC_STR_FMT(p->name), sc_property_type_text(p, type))
                ->decl = p->at->mark;
    }
    return valid;
}

static void check_example(struct sc_tx_load *ld, const struct sc_event_type *et,
                          struct sc_node *example, bool must_pass)
{
    uint64_t given[SC_PROPERTIES_MAX / 64] = {0};
    if (example->kind != SC_NODE_MAP) {
        SC_TX_ERROR(ld, "bad-example", example->mark, "an example is a map of properties");
        return;
    }
    bool valid = check_values(ld, et, example, must_pass, given);
    for (uint32_t i = 0; i < et->n_props; i++) {
        if (!et->props[i].required || (given[i / 64] >> (i % 64) & 1))
            continue;
        valid = false;
        if (must_pass)
            SC_TX_ERROR(ld, "bad-example", example->mark, "required property '%.*s' is missing",
                        SC_STR_FMT(et->props[i].name))
                ->decl = et->props[i].at->mark;
    }
    if (valid && !must_pass)
        SC_TX_ERROR(ld, "bad-example", example->mark,
                    "this anti-example is accepted: no property of '%.*s' rejects it",
                    SC_STR_FMT(et->name));
}

static void check_all(struct sc_tx_load *ld, const struct sc_event_type *et, struct sc_node *list,
                      bool must_pass)
{
    if (sc_tx_given(list) == NULL)
        return;
    if (list->kind != SC_NODE_SEQ) {
        SC_TX_ERROR(ld, "bad-example", list->mark, "examples are a list of maps");
        return;
    }
    for (uint32_t i = 0; i < list->n; i++)
        check_example(ld, et, list->items[i], must_pass);
}

bool sc_taxonomy_check_examples(const struct sc_taxonomy *tx, struct sc_arena *ar,
                                struct sc_diag *dg)
{
    SC_ASSERT(tx != NULL && dg != NULL);
    struct sc_tx_load ld = {.ar = ar, .dg = dg};
    uint32_t errors = dg->errors;
    for (uint32_t i = 0; i < tx->n_events; i++) {
        check_all(&ld, &tx->events[i], tx->events[i].examples, true);
        check_all(&ld, &tx->events[i], tx->events[i].anti_examples, false);
    }
    return dg->errors == errors;
}
