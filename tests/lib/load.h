/* A taxonomy and a journey from their texts, for programs that test both; findings are the program's
 * end. Everything lives in `ar`; what the two own goes by their own fini. */
#ifndef SC_TEST_LOAD_H
#define SC_TEST_LOAD_H

#include "base/assert.h"
#include "core/journey/journey.h"
#include <stdio.h>

static inline void load_texts(const char *taxonomy, const char *journey, struct sc_taxonomy *tx,
                              struct sc_journey *jo, struct sc_arena *ar)
{
    struct sc_diag dg;
    struct sc_buf said = {.ar = ar};
    sc_diag_init(&dg, ar);
    struct sc_node *doc = sc_node_parse(SC_STR("taxonomy.yaml"), sc_str_from(taxonomy), NULL, NULL,
                                        ar, &dg);
    bool ok = doc && sc_taxonomy_load(tx, doc, ar, &dg);
    doc = sc_node_parse(SC_STR("journey.yaml"), sc_str_from(journey), NULL, NULL, ar, &dg);
    ok = ok && doc && sc_journey_load(jo, tx, doc, ar, &dg);
    sc_diag_render(&dg, SC_DIAG_TEXT, false, &said);
    if (!ok)
        fprintf(stderr, "%.*s\n", SC_STR_FMT(sc_buf_view(&said)));
    SC_ASSERT(ok);
}

#endif
