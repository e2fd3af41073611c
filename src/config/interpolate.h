/* `${VAR}`, `${VAR:-default}` and `$$` in scalar values. Used by node.c. */
#ifndef SC_CONFIG_INTERPOLATE_H
#define SC_CONFIG_INTERPOLATE_H

#include "config/node.h"

struct sc_interpolate {
    sc_env_fn *env;
    void *arg;
    struct sc_arena *ar;
    struct sc_diag *dg;
};

/* Replace *text (marked at `mark`) by its interpolation, in the arena when something changed.
 * False with findings when a variable is unset or a `${` is not well formed. As in a shell, the
 * default also stands for an empty variable; it ends at the first `}`. */
bool sc_interpolate(const struct sc_interpolate *in, struct sc_mark mark, struct sc_str *text);

#endif
