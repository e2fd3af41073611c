/* A small shop: a taxonomy, a customer's facts, one event. What the tests of this folder share. */
#ifndef SC_TEST_RULE_SHOP_H
#define SC_TEST_RULE_SHOP_H

#include "core/rule/rule.h"

struct shop {
    struct sc_arena ar;
    struct sc_diag dg;
    struct sc_taxonomy tx;
    struct sc_scope sp;
    struct sc_source_text *file;
    struct sc_event ev;
    struct sc_value props[SC_PROPERTIES_MAX];
    struct sc_value facts[64]; /* by fact index: what the host answers */
    struct sc_value recent;    /* what it answers to recent() */
    struct sc_rule_ctx cx;
};

void shop_open(struct shop *sh);
void shop_close(struct shop *sh);
/* Compile at the start of a file of its own; findings stay in sh->dg, which is emptied first. */
const struct sc_prog *shop_compile(struct shop *sh, const char *text, struct sc_rule_opts opts);
const struct sc_prog *shop_rule(struct shop *sh, const char *text);
const struct sc_prog *shop_value(struct shop *sh, const char *text);
/* The event of the context, without properties; shop_set gives it one. */
void shop_event(struct shop *sh, const char *name);
void shop_set(struct shop *sh, const char *prop, struct sc_value v);
/* The value as JSON, or "error: …". */
const char *shop_json(struct shop *sh, struct sc_value v);
/* Compile as a value and evaluate. */
const char *shop_eval(struct shop *sh, const char *text);
/* Index of the fact with this canonical text; asserts that there is one. */
uint32_t shop_fact(struct shop *sh, const char *text);
struct sc_value shop_text(const char *z);

#endif
