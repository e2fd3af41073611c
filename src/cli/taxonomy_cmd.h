/* What `stagecoach taxonomy` writes: the dictionary as a page, and two versions compared. */
#ifndef SC_CLI_TAXONOMY_CMD_H
#define SC_CLI_TAXONOMY_CMD_H

#include "cli/taxonomy_use.h"
#include "config/settings.h"

/* The dictionary for readers. `us` NULL: nobody's readings are known. Scratch in `ar`. */
void sc_taxonomy_docs(const struct sc_taxonomy *tx, const struct sc_uses *us, bool html,
                      struct sc_arena *ar, struct sc_buf *out);

/* Every topic as an AsyncAPI 3.0 document: sources; with `jo` the channels' topics; with `st` the
 * fixed outbound ones. Scratch in `ar`. */
void sc_taxonomy_asyncapi(const struct sc_taxonomy *tx, const struct sc_journey *jo,
                          const struct sc_settings *st, struct sc_arena *ar, struct sc_buf *out);

/* The text of a role as files have it: "purchase", "none". */
const char *sc_role_name(enum sc_role role);

/* What changed from `old` to `new`, breaking changes first, then what that means for the version.
 * Breaking: records that were valid no longer are, a reader meets what it does not expect, or
 * customers get other ids. Sources are not compared: they are how one deployment reads.
 * True when the change is allowed: nothing breaks, or the major version is a later one. */
bool sc_taxonomy_diff(const struct sc_taxonomy *old, const struct sc_taxonomy *new,
                      struct sc_buf *out);

#endif
