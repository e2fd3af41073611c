/* Raw records of a source, as its topic has them: from a file or from the topic itself, through the
 * same decoder and intake as in `run`. For back-tests: nothing is written, no group is joined. */
#ifndef SC_CLI_RAW_H
#define SC_CLI_RAW_H

#include "cli/setup.h"
#include "core/identity/identity.h"

/* One record: an event, or why it is none. Borrowed for the call. */
struct sc_raw_record {
    const char *where;  /* file, or topic and partition */
    uint64_t number;    /* record of the file from 1, offset */
    enum sc_drop drop;  /* NONE: `event` is one */
    const struct sc_event *event;
    struct sc_fault *fault;
    bool too_long;
    uint64_t at, size;  /* how far, of how much; size 0: nobody knows */
};
typedef void sc_raw_fn(void *arg, const struct sc_raw_record *rec);

struct sc_raw {
    const struct sc_project *project;
    struct sc_pseudonyms *ps;
    sc_raw_fn *fn;
    void *arg;
};

/* The source's records in files: JSON one a line; Avro, Protobuf (and JSON too) each behind its
 * length, u32 big endian. Schemas come from the source's file, beside the project's, or from the
 * registry of its settings. An exit code; what ended it is said. */
int sc_raw_files(const struct sc_raw *rw, struct sc_str source, char *const *paths, int n);
/* The records of a source's topic from a time to its end now. Needs settings. */
int sc_raw_topic(const struct sc_raw *rw, struct sc_str topic, int64_t from_ms);
/* TOPIC@TIME? A file of that name goes before. */
bool sc_raw_is_topic(const char *word, struct sc_str *topic, int64_t *from_ms);

#endif
