/* From settings to an engine: configuration, topics with their needs and schemas, secrets, the
 * files of sources that name local schemas. What `run` and `check --connect` share. */
#ifndef SC_CLI_SETUP_H
#define SC_CLI_SETUP_H

#include "cli/project.h"
#include "engine/worker.h"
#include "kafka/kafka.h"
#include "redis/conn.h"

#define SC_NEEDS_MAX (SC_OUT_MAX + 256)

struct sc_setup {
    struct sc_arena ar;
    const struct sc_project *project;
    struct sc_engine_config engine;
    struct sc_kafka_config kafka;
    struct sc_redis_config redis;
    struct sc_str identity_key, admin_token, registry_password;
    const char *resolve_group, *journey_group;
    const char **sources;      /* topics by source index */
    struct sc_str *schema_files; /* text by source index; p NULL: framed */
    struct sc_topic_need needs[SC_NEEDS_MAX];
    uint32_t n_needs;
    struct sc_kafka_login logins[SC_KAFKA_ROLES];
};

/* Fill `su` from a loaded project (settings and journey); secrets are read. 0, or an exit code with
 * the reason printed. Zero-initialised is valid for fini. */
int sc_setup(struct sc_setup *su, const struct sc_project *project);
/* What the roles that have workers ask of the brokers; borrows from `su`. */
struct sc_kafka_needs sc_setup_needs(struct sc_setup *su, bool resolve, bool journey);
/* The mark of an output's topic in the files, for findings about it. */
struct sc_mark sc_setup_out_mark(const struct sc_setup *su, uint32_t index);
void sc_setup_fini(struct sc_setup *su);
/* The text of a source's schema file; a relative path is taken from the folder of `beside`. 0, or
 * an exit code with the reason printed. */
int sc_setup_schema(const struct sc_project_file *beside, struct sc_str path, struct sc_arena *ar,
                    struct sc_str *out);
/* A path of the settings: a relative one is taken from the settings file's folder. */
const char *sc_setup_beside(struct sc_setup *su, struct sc_str path);
/* The transactional id of a worker: "<group>-<r|j>-<instance>-<index>", at most 32 characters (a
 * longer one is shortened by a hash). */
void sc_setup_writer(const struct sc_setup *su, char role, uint32_t index, char out[33]);

#endif
