/* Canonical events: JSON lines as semantics 39 has them, from files, gzip or standard input. */
#ifndef SC_CLI_CANONICAL_H
#define SC_CLI_CANONICAL_H

#include "cli/canonical_plain.h"
#include "cli/lines.h"
#include "codec/decoder.h"

struct sc_canonical {
    const struct sc_taxonomy *tx;
    struct sc_plain *plain; /* NULL: every line goes the long way */
    const struct sc_decoder *decoder;
    struct sc_pseudonyms *ps;
    struct sc_arena *ar;    /* one line's: reset by each read */
    struct sc_value *slots;
    const char *path;       /* of the file being read: provenance */
};

/* Compile the decoder. `load` is the taxonomy's own arena, `line` one that each read resets. */
void sc_canonical_init(struct sc_canonical *cn, const struct sc_taxonomy *tx,
                       struct sc_pseudonyms *ps, struct sc_arena *load, struct sc_arena *line);
/* The first step of reading a line, and the second (core/taxonomy/intake.h), for who reads many into
 * `ar` of its own before it goes on with them. */
enum sc_drop sc_canonical_begin(struct sc_canonical *cn, struct sc_str line, uint64_t number,
                                struct sc_arena *ar, struct sc_event *ev, struct sc_fault *fault);
void sc_canonical_end(struct sc_canonical *cn, struct sc_arena *ar, struct sc_event *ev);
/* Both: read one line into `ev`, valid until the next. SC_DROP_NONE, or why not, with the fault. */
enum sc_drop sc_canonical_read(struct sc_canonical *cn, struct sc_str line, uint64_t number,
                               struct sc_event *ev, struct sc_fault *fault);

#endif
