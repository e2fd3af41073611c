/* What a source's mappings read, looked for in a writer's schema: from a local file, or (with
 * connect.h) from the registry. */
#ifndef SC_CLI_SCHEMAS_H
#define SC_CLI_SCHEMAS_H

#include "cli/project.h"

struct sc_schema_source;

struct sc_schema_look {
    const struct sc_taxonomy *tx; /* projected */
    const struct sc_source *src;
    struct sc_mark mark; /* of what names the schema */
    const char *name;    /* "schema 7 (subject shop.pos-value)", "pos.proto" */
    struct sc_arena *ar;
    struct sc_diag *dg;
};

/* The schema is parsed, the decoder made, each wanted path looked for: findings. */
void sc_schema_look(const struct sc_schema_look *lk, const struct sc_schema_source *schema);

/* The same of every source that names a schema file. `file`: a taxonomy, or what names one, without
 * errors; findings to pr->dg. */
void sc_schemas_check(struct sc_project *pr, const struct sc_project_file *file);

#endif
