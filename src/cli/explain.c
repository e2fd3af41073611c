/* stagecoach explain: why something is as it is. */
#include "cli/explain.h"

#include "cli/cli.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct subject {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} subjects[] = {
    {"customer", sc_explain_customer,
     "customer ID|--identifier NS=VALUE JOURNEY --events FILE… | --config SETTINGS"},
    {"event", sc_explain_event, "event TOPIC:PARTITION:OFFSET [--config SETTINGS]"},
    {"rule", sc_explain_rule, "rule NAME JOURNEY"},
    {"code", sc_explain_code, "code CODE"},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

bool sc_explain_node(struct sc_pseudonyms *ps, const struct sc_taxonomy *tx, const char *identifier,
                     const char *id, struct sc_node_id *node)
{
    const char *eq = identifier ? strchr(identifier, '=') : NULL;
    size_t len = eq ? (size_t)(eq - identifier) : 0;
    int ns = eq ? sc_taxonomy_namespace(tx, (struct sc_str){identifier, len}) : -1;
    if (identifier == NULL) {
        if (sc_node_parse_hex(sc_str_from(id), node))
            return true;
        fprintf(stderr, "stagecoach explain: a customer's id has 32 hex digits, '%s' is none; "
                        "--identifier NS=VALUE finds one by an identifier\n", id);
        return false;
    }
    if (ns < 0) {
        fprintf(stderr, "stagecoach explain: --identifier: expected NAMESPACE=VALUE with one of");
        for (uint32_t i = 0; i < tx->n_namespaces; ++i)
            fprintf(stderr, " %.*s", SC_STR_FMT(tx->namespaces[i].name));
        fprintf(stderr, ", found '%s'\n", identifier);
        return false;
    }
    struct sc_arena ar;
    struct sc_identifier found;
    sc_arena_init(&ar);
    bool fine = sc_identify(ps, (uint8_t)ns, sc_str_from(eq + 1), &ar, &found) == SC_IDENT_OK;
    if (fine)
        *node = found.node;
    else
        fprintf(stderr, "stagecoach explain: --identifier: '%s' is blocked: it joins nobody\n",
                eq + 1);
    sc_arena_fini(&ar);
    return fine;
}

static void usage(FILE *to)
{
    for (size_t i = 0; i < SUBJECTS; ++i)
        fprintf(to, "%s stagecoach explain %s\n", i ? "      " : "usage:", subjects[i].usage);
}

int sc_cmd_explain(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < SUBJECTS; ++i)
        if (strcmp(name, subjects[i].name) == 0)
            return subjects[i].run(argc - 1, argv + 1);
    bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    usage(help ? stdout : stderr);
    return help ? SC_EXIT_OK : SC_EXIT_USAGE;
}
