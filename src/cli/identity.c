/* stagecoach identity: the node of an identifier, as anyone who holds the key can compute it
 * (semantics 10c); split and unlink in identity_split.c. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/identity.h"
#include "cli/key.h"
#include "cli/project.h"
#include "core/identity/identity.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The first of the usual files that is there. */
static const char *default_file(void)
{
    static const char *const names[] = {"stagecoach.yaml", "journey.yaml", "taxonomy.yaml"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (access(names[i], R_OK) == 0)
            return names[i];
    return names[2];
}

static int print_node(struct sc_pseudonyms *ps, const struct sc_taxonomy *tx, const char *word,
                      struct sc_arena *ar)
{
    const char *eq = strchr(word, '=');
    if (eq == NULL) {
        fprintf(stderr, "stagecoach: '%s': expected NAMESPACE=VALUE\n", word);
        return SC_EXIT_USAGE;
    }
    int ns = sc_taxonomy_namespace(tx, (struct sc_str){word, (size_t)(eq - word)});
    if (ns < 0) {
        fprintf(stderr, "stagecoach: the taxonomy has no namespace '%.*s'; it has", (int)(eq - word),
                word);
        for (uint32_t i = 0; i < tx->n_namespaces; i++)
            fprintf(stderr, " %.*s", SC_STR_FMT(tx->namespaces[i].name));
        fputc('\n', stderr);
        return SC_EXIT_USAGE;
    }
    struct sc_identifier id;
    switch (sc_identify(ps, (uint8_t)ns, sc_str_from(eq + 1), ar, &id)) {
    case SC_IDENT_OK:
        break;
    case SC_IDENT_BLOCKED:
        fprintf(stderr, "stagecoach: this value is blocked: it joins nobody\n");
        return SC_EXIT_FINDINGS;
    case SC_IDENT_TOO_LONG:
        fprintf(stderr, "stagecoach: this value is too long: it joins nobody\n");
        return SC_EXIT_FINDINGS;
    }
    char hex[32];
    sc_node_hex(&id.node, hex);
    printf("%.32s\n", hex);
    return SC_EXIT_OK;
}

static int with_taxonomy(const char *path, struct sc_secret sec, const struct sc_words *words)
{
    struct sc_project pr = {0};
    struct sc_arena ar;
    struct sc_str key;
    sc_arena_init(&ar);
    const struct sc_project_file *file = sc_project_add(&pr, path);
    int rc = SC_EXIT_OK;
    if (file == NULL) {
        fprintf(stderr, "stagecoach: %s: %s\n", path, strerror(errno));
        rc = SC_EXIT_NOINPUT;
    } else if (file->taxonomy == NULL || !file->ok) {
        fprintf(stderr, "stagecoach: %s: no usable taxonomy: see `stagecoach check`\n", path);
        rc = SC_EXIT_CONFIG;
    } else {
        sc_secret_settle(&sec, file, &ar);
        rc = sc_key_load(sec.file, &ar, &key);
    }
    if (rc == SC_EXIT_OK) {
        struct sc_pseudonyms *ps =
            sc_pseudonyms_create(file->taxonomy, key, (uint8_t)sec.version, 16);
        for (int i = 0; rc == SC_EXIT_OK && i < words->n; i++)
            rc = print_node(ps, file->taxonomy, words->v[i], &ar);
        sc_pseudonyms_destroy(ps);
    }
    sc_project_fini(&pr);
    sc_arena_fini(&ar);
    return rc;
}

static int node(int argc, char **argv)
{
    const char *path = NULL;
    struct sc_secret sec = {.version = -1};
    const struct sc_arg args[] = {
        {"config", 'c', SC_ARG_STR, &path, "FILE",
         "taxonomy, journey or settings (default: stagecoach.yaml, journey.yaml, taxonomy.yaml)"},
        {"key-file", 0, SC_ARG_STR, &sec.file, "FILE",
         "secret of the pseudonyms (default: as the settings say, else $STAGECOACH_IDENTITY_KEY_FILE, "
         "else a development key)"},
        {"key-version", 0, SC_ARG_INT, &sec.version, "N", "version of that secret, 0 to 15 (default: as the settings say, else 0)"},
        {0},
    };
    static const char about[] =
        "Prints the node of each identifier: a byte of key version and rank, then the first 15 bytes\n"
        "of HMAC-SHA-256(key, namespace 0x00 value), in hex.";
    const struct sc_command cmd = {"identity node NAMESPACE=VALUE… [options]", about, args, 1, -1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if (sec.version > 15) {
        fprintf(stderr, "stagecoach identity: --key-version: expected 0 to 15, found '%lld'\n",
                (long long)sec.version);
        return SC_EXIT_USAGE;
    }
    return with_taxonomy(path ? path : default_file(), sec, &words);
}

int sc_cmd_identity(int argc, char **argv)
{
    static const struct sc_subject subjects[] = {
        {"node", node, "node NAMESPACE=VALUE… [options]"},
        {"split", sc_identity_split, "split CUSTOMER NODE… [options]"},
        {"unlink", sc_identity_unlink, "unlink CUSTOMER NODE… [options]"},
        {0},
    };
    return sc_subjects_run("identity", subjects, argc, argv);
}
