/* The scalar kinds of fields: reading, wording, JSON Schema. For bind*.c. */
#ifndef SC_CONFIG_BIND_SCALAR_H
#define SC_CONFIG_BIND_SCALAR_H

#include "config/bind.h"

/* What messages and the reference call a kind, and its JSON Schema. */
struct sc_kind_info {
    const char *expected; /* after "expected ": "a duration like 30m" */
    const char *label;    /* in the reference: "duration" */
    const char *type;     /* JSON Schema type, or NULL */
    const char *pattern;  /* JSON Schema pattern of its text, or NULL */
};

const struct sc_kind_info *sc_kind_info(enum sc_field_kind kind);
/* Read the scalar `n` into `to` (shape as bind.h says). False with a finding. */
bool sc_bind_scalar(const struct sc_field *field, const struct sc_node *n, void *to,
                    struct sc_diag *dg);
/* "expected … , found …" about node `n`. */
struct sc_finding *sc_bind_expected(const struct sc_field *field, const struct sc_node *n,
                                    const char *expected, struct sc_diag *dg);
/* A bound of the field as it is written ("30m"), into the arena. */
struct sc_str sc_bind_bound(enum sc_field_kind kind, int64_t value, struct sc_arena *ar);
/* The node a field's default (not NULL) would be, had it been written. From bind.c. */
struct sc_node *sc_bind_default_node(const struct sc_field *field, struct sc_arena *ar);

#endif
