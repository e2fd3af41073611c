/* stagecoach docs: references and JSON Schemas, written from the very tables that parse. Hidden:
 * the generated files are committed, tests/tidy/generated.sh compares them. */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/test_case.h"
#include "codec/outbound.h"

#include "config/settings.h"
#include "core/drop.h"
#include "core/journey/effects.h"
#include "core/journey/journey.h"

#include "base/err.h"
#include <stdio.h>

enum { TAXONOMY, JOURNEY, SETTINGS, FILES };
static const struct {
    const char *name, *title, *id;
} files[FILES] = {
    [TAXONOMY] = {"taxonomy", "taxonomy.yaml", "urn:stagecoach:config:taxonomy"},
    [JOURNEY] = {"journey", "journey.yaml", "urn:stagecoach:config:journey"},
    [SETTINGS] = {"stagecoach", "stagecoach.yaml", "urn:stagecoach:config:stagecoach"},
};

static struct sc_table table_of(int file, struct sc_arena *ar)
{
    return file == TAXONOMY  ? sc_taxonomy_table
           : file == JOURNEY ? sc_test_journey_table(ar)
                             : sc_settings_table;
}

static const char config_head[] =
    "# Configuration reference\n\n"
    "Written by `stagecoach docs config` from the tables that parse the files; do not edit.\n\n"
    "Three YAML files. Scalars take `${VAR}` and `${VAR:-default}` from the environment (`$$` is a "
    "`$`); secrets stand in files of their own, named by `*_file` keys; relative paths begin at the "
    "settings file. `stagecoach check FILE…` "
    "reports every fault of all of them at once. Editors complete and check them by the JSON "
    "Schemas in `schemas/config/`:\n\n"
    "```yaml\n# yaml-language-server: $schema=../schemas/config/journey.schema.json\n```\n\n"
    "Values: a *duration* is `30m`, `24h`, `1h30m`, `7d` (a day is 24 hours); *bytes* are `512`, "
    "`64KiB`, `16MiB`; a *percentage* is `10%` or `0.5%`. A key with nothing behind it is an "
    "error; of a list or a map it says that there are none.\n";

static void config_reference(struct sc_buf *out)
{
    struct sc_arena ar;
    sc_arena_init(&ar);
    sc_buf_addz(out, config_head);
    for (int i = 0; i < FILES; ++i) {
        struct sc_table table = table_of(i, &ar);
        sc_buf_addf(out, "\n# %s\n\n", files[i].title);
        sc_bind_reference(&table, out);
    }
    sc_arena_fini(&ar);
}

static void errors_reference(struct sc_buf *out)
{
    sc_buf_addz(out, "# Errors, drops and reasons\n\n"
                     "Written by `stagecoach docs errors` from the tables in the code; do not "
                     "edit.\n\n"
                     "## Why a record is dropped\n\n"
                     "`stagecoach.error.code` of a dead letter, and the label `reason` of "
                     "`stagecoach_drops_total`. Those without a dead letter are counted "
                     "alone.\n\n"
                     "| code | stage | dead letter | meaning |\n|---|---|---|---|\n");
    for (int i = SC_DROP_NONE + 1; i < SC_DROP_COUNT; ++i) {
        enum sc_drop d = (enum sc_drop)i;
        sc_buf_addf(out, "| `%s` | %s | %s | %s |\n", sc_drop_label(d), sc_drop_stage(d),
                    sc_drop_dead_letter(d) ? "yes" : "no", sc_drop_text(d));
    }
    sc_buf_addz(out, "\n## Why a message is not sent\n\n"
                     "`reason` of suppressed records: the first that holds, in this order.\n\n"
                     "| reason | meaning |\n|---|---|\n");
    for (int i = SC_REASON_NONE + 1; i < SC_REASON_COUNT; ++i)
        sc_buf_addf(out, "| `%s` | %s |\n", sc_reason_name((enum sc_reason)i),
                    sc_reason_text((enum sc_reason)i));
    sc_buf_addz(out, "\n## What servers answer\n\n"
                     "| error | tried again | meaning |\n|---|---|---|\n");
    for (int i = SC_ERR_OK + 1; i < SC_ERR_COUNT; ++i) {
        enum sc_err e = (enum sc_err)i;
        sc_buf_addf(out, "| `%s` | %s | %s |\n", sc_err_name(e), sc_err_retriable(e) ? "yes" : "no",
                    sc_err_text(e));
    }
    sc_buf_addz(out, "\n## Exit codes\n\n| code | meaning |\n|---|---|\n"
                     "| 0 | done |\n"
                     "| 1 | the command found what it was asked to look for |\n"
                     "| 64 | the command line is wrong |\n"
                     "| 65 | input data are wrong |\n"
                     "| 66 | a file cannot be read |\n"
                     "| 69 | a server is not reachable |\n"
                     "| 70 | a bug |\n"
                     "| 74 | writing failed |\n"
                     "| 78 | one of the three files is wrong |\n");
}

static void break_line(struct sc_buf *out, int depth)
{
    sc_buf_char(out, '\n');
    for (int i = 0; i < depth; ++i)
        sc_buf_addz(out, "  ");
}

/* Compact JSON with a line a member, so that a change of the schema reads as one. */
static void indent(struct sc_str json, struct sc_buf *out)
{
    int depth = 0;
    bool text = false;
    for (size_t i = 0; i < json.len; ++i) {
        char c = json.p[i];
        bool opens = !text && (c == '{' || c == '['), closes = !text && (c == '}' || c == ']');
        bool empty = opens && i + 1 < json.len && (json.p[i + 1] == '}' || json.p[i + 1] == ']');
        if (closes && json.p[i - 1] != '{' && json.p[i - 1] != '[')
            break_line(out, depth - 1);
        sc_buf_char(out, c);
        if (text && c == '\\')
            sc_buf_char(out, json.p[++i]);
        else if (c == '"')
            text = !text;
        depth += opens - closes;
        if ((opens && !empty) || (!text && c == ','))
            break_line(out, depth);
        else if (!text && c == ':')
            sc_buf_char(out, ' ');
    }
}

static bool schema(const char *name, struct sc_buf *out)
{
    for (int i = 0; i < FILES; ++i) {
        if (strcmp(files[i].name, name) != 0)
            continue;
        struct sc_arena ar;
        sc_arena_init(&ar);
        struct sc_buf json = {.ar = &ar};
        struct sc_table table = table_of(i, &ar);
        sc_bind_json_schema(&table, files[i].id, &json);
        indent(sc_buf_view(&json), out);
        sc_arena_fini(&ar);
        return true;
    }
    return false;
}

/* Schema of an outbound record: KIND avro|protobuf|json. */
static bool outbound(const char *kind, const char *format, struct sc_buf *out)
{
    static const char *const kinds[] = {"trigger", "suppressed", "transition", "identity",
                                        "customer", "analytics"};
    static const char *const formats[] = {"avro", "protobuf", "json"};
    for (unsigned k = 0; k < SC_OB_COUNT; k++)
        for (int32_t f = 0; f < 3; f++)
            if (strcmp(kinds[k], kind) == 0 && strcmp(formats[f], format) == 0) {
                sc_buf_str(out, sc_outbound_schema((enum sc_outbound)k, f));
                return true;
            }
    return false;
}

static bool write_page(const struct sc_words *words, struct sc_buf *out)
{
    const char *what = words->v[0];
    if (strcmp(what, "schema") == 0)
        return words->n == 2 && schema(words->v[1], out);
    if (strcmp(what, "outbound") == 0)
        return words->n == 3 && outbound(words->v[1], words->v[2], out);
    if (words->n != 1)
        return false;
    if (strcmp(what, "config") == 0)
        config_reference(out);
    else if (strcmp(what, "errors") == 0)
        errors_reference(out);
    else if (strcmp(what, "expressions") == 0)
        sc_rule_reference(out);
    else
        return false;
    return true;
}

int sc_cmd_docs(int argc, char **argv)
{
    static const struct sc_arg args[] = {{0}};
    static const struct sc_command cmd = {
        "docs config | errors | expressions | schema taxonomy|journey|stagecoach |\n"
        "                       outbound KIND avro|protobuf|json",
        "Writes a generated page of docs/, or a schema of schemas/, to standard output.",
        args, 1, 3};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    struct sc_buf out = {0};
    bool known = write_page(&words, &out);
    if (known)
        fwrite(out.p, 1, out.len, stdout);
    for (int i = 0; !known && i < words.n; i++)
        fprintf(stderr, "%s%s", i ? " " : "stagecoach: there is no page '", words.v[i]);
    if (!known)
        fprintf(stderr, "'\nusage: stagecoach %s\n", cmd.usage);
    sc_buf_fini(&out);
    return known ? SC_EXIT_OK : SC_EXIT_USAGE;
}
