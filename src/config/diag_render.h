/* What the forms of a rendered list share. Only for diag_*.c. */
#ifndef SC_CONFIG_DIAG_RENDER_H
#define SC_CONFIG_DIAG_RENDER_H

#include "config/diag.h"

/* "note", "warning", "error". */
const char *sc_severity_name(enum sc_severity severity);
/* `sorted` holds dg->items.n findings in the order to print. */
void sc_diag_render_text(const struct sc_diag *dg, const struct sc_finding *const *sorted,
                         bool colour, struct sc_buf *out);

#endif
