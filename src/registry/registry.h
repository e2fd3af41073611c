/* A client of a schema registry with Confluent's interface (Confluent, Apicurio ccompat, Redpanda).
 *
 * Schemas by id never change, so each is fetched once: kept in memory, and on disk for the next
 * start. An id that the registry does not know is remembered for 30 s. A registry that is down is
 * not waited for here: the error says whether to try again. Thread: any; one request at a time, so
 * that many who ask for an id at once cost one request. Logs say what went wrong when that changes,
 * never what the server or the settings hold. */
#ifndef SC_REGISTRY_H
#define SC_REGISTRY_H

#include "base/err.h"
#include "engine/port.h"

struct sc_registry;

struct sc_registry_options {
    struct sc_str url; /* with its path prefix, "http://host:8081/apis/ccompat/v7"; no user in it */
    struct sc_str user, password; /* basic auth, or */
    struct sc_str token;          /* bearer */
    struct sc_str ca_file;              /* PEM; empty: the system's */
    struct sc_str cert_file, key_file;  /* PEM, mutual TLS; empty: none */
    struct sc_str cache_dir;            /* made when missing; empty: no cache on disk */
    int64_t timeout_ms;                 /* of one request; 0: 10 s */
    bool quiet;                         /* faults are the caller's to say: nothing is logged */
};

#define SC_REGISTRY_WHY 256

/* CONFIG with a sentence in `why` when the options cannot be used. Makes no request. */
enum sc_err sc_registry_create(const struct sc_registry_options *options, struct sc_registry **out,
                               char why[SC_REGISTRY_WHY]);
void sc_registry_destroy(struct sc_registry *rs);

/* The schema of an id with all it refers to, nearest last. Texts in `ar`.
 * NOT_FOUND; UNAVAILABLE, TIMEOUT: try again; AUTH; CONFIG: this is no registry, or its certificate
 * is not trusted; CORRUPT: an answer that cannot be understood; TOO_LARGE. */
enum sc_err sc_registry_schema(struct sc_registry *rs, uint32_t id, struct sc_arena *ar,
                               struct sc_schema_text *out);
/* Register under a subject a schema that refers to no other (ours hold all they need): its id, also
 * when it is there already. CONFLICT: not compatible with the subject's versions; INVALID: refused
 * as a schema. */
enum sc_err sc_registry_register(struct sc_registry *rs, struct sc_str subject,
                                 const struct sc_schema_text *schema, uint32_t *id);
/* Would the subject take this schema as its next version? NOT_FOUND: it has none yet. */
enum sc_err sc_registry_compatible(struct sc_registry *rs, struct sc_str subject,
                                   const struct sc_schema_text *schema, bool *yes);
/* The newest version of a subject, and its id (not cached). */
enum sc_err sc_registry_latest(struct sc_registry *rs, struct sc_str subject, struct sc_arena *ar,
                               struct sc_schema_text *out, uint32_t *id);
/* What the last failed call failed of, as a sentence. */
void sc_registry_why(struct sc_registry *rs, char why[SC_REGISTRY_WHY]);
/* The same client as the engine's port. Lives as long as `rs`. */
struct sc_schemas *sc_registry_port(struct sc_registry *rs);

#endif
