/* What settings, journey and taxonomy must agree on beyond themselves: topics are distinct, and
 * records that are framed for a registry have one. */
#ifndef SC_CLI_AGREE_H
#define SC_CLI_AGREE_H

#include "config/settings.h"
#include "core/journey/journey.h"

/* Findings to `dg`. All three may have faults of their own: what was not read is passed over. */
void sc_agree_check(const struct sc_settings *st, const struct sc_journey *jo,
                    const struct sc_taxonomy *tx, struct sc_diag *dg);

/* The mark of an output's topic in the files; `index` as enum sc_out_index has them. */
struct sc_mark sc_agree_out_mark(const struct sc_settings *st, const struct sc_journey *jo,
                                 uint32_t index);

#endif
