/* Raw records of a source, as its topic has them: from a file or from the topic itself, through the
 * same decoder and intake as in `run`. For back-tests: nothing is written, no group is joined. */
#ifndef SC_CLI_RAW_H
#define SC_CLI_RAW_H

#include "cli/args.h"
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

/* One input: a source's files, or its topic. */
struct sc_raw_input {
    const struct sc_source *source;
    char *const *paths; /* files, one behind the other */
    int n_paths;        /* 0: the topic */
    int64_t from_ms;    /* of the topic: from its first record at or after this time to its end now */
};
/* From `NAME FILE…`, two words at least. An exit code: a fault is said. */
int sc_raw_files(const struct sc_project *pr, const struct sc_words *words,
                 struct sc_raw_input *in);
/* TOPIC@TIME? A file of that name goes before. */
bool sc_raw_is_topic(const char *word, struct sc_str *topic, int64_t *from_ms);
int sc_raw_topic(const struct sc_project *pr, struct sc_str topic, int64_t from_ms,
                 struct sc_raw_input *in);

/* All inputs as one stream: of the records that are next the earliest, by its time on its topic, or in
 * files by its event's. In files JSON stands one a line; Avro, Protobuf (and JSON too) each behind its
 * length, u32 big endian. Schemas come from the source's file, beside the project's, or from the
 * registry of its settings. An exit code; what ended it is said. */
int sc_raw_read(const struct sc_raw *rw, const struct sc_raw_input *in, uint32_t n);

#endif
