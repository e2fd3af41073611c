/* See args.h. */
#include "cli/args.h"

#include "base/time.h"
#include "cli/cli.h"
#include <stdio.h>

#define HELP_COLUMN 32 /* where the meaning begins */

static int usage_error(const struct sc_command *cmd, const char *what, const char *word)
{
    fprintf(stderr, "stagecoach: %s '%s'\nusage: stagecoach %s\n", what, word, cmd->usage);
    return SC_EXIT_USAGE;
}

static void help(const struct sc_command *cmd)
{
    printf("usage: stagecoach %s\n\n%s\n\noptions:\n", cmd->usage, cmd->about);
    for (const struct sc_arg *a = cmd->args; a->name; a++) {
        char left[64];
        char letter[5] = "    ";
        if (a->letter)
            snprintf(letter, sizeof(letter), "-%c, ", a->letter);
        int bytes = snprintf(left, sizeof(left), "%s--%s%s%s", letter, a->name,
                             a->value ? " " : "", a->value ? a->value : "");
        int wider = 0; /* bytes that are no column: those inside a character, as of "…" */
        for (int i = 0; i < bytes; i++)
            wider += ((unsigned char)left[i] & 0xC0) == 0x80;
        printf("  %-*s %s\n", HELP_COLUMN + wider, left, a->help);
    }
    printf("  %-*s %s\n", HELP_COLUMN, "-h, --help", "this text");
}

/* `name` takes the place of `near` when it is nearer to what was seen. */
static void nearer(struct sc_str seen, const char *name, const char **near, unsigned *max)
{
    unsigned d = seen.len > 2 ? sc_str_distance(seen, sc_str_from(name), *max) : *max;
    if (d < *max) {
        *near = name;
        *max = d;
    }
}

#define NEAR 3 /* edits: less is meant */

void sc_subject_suggest(const struct sc_subject *subjects, const char *word)
{
    const char *near = NULL;
    unsigned max = NEAR;
    for (const struct sc_subject *s = subjects; s->name; s++)
        nearer(sc_str_from(word), s->name, &near, &max);
    if (near)
        fprintf(stderr, "; did you mean '%s'?", near);
}

int sc_subjects_run(const char *command, const struct sc_subject *subjects, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    for (const struct sc_subject *s = subjects; s->name; s++)
        if (strcmp(word, s->name) == 0)
            return s->run(argc - 1, argv + 1);
    bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (!help && *word) {
        fprintf(stderr, "stagecoach: there is no command '%s %s'", command, word);
        sc_subject_suggest(subjects, word);
        fputc('\n', stderr);
    }
    for (const struct sc_subject *s = subjects; s->name; s++)
        fprintf(help ? stdout : stderr, "%s stagecoach %s %s\n", s == subjects ? "usage:" : "      ",
                command, s->usage);
    if (help)
        printf("\nWith --help behind it each says more.\n");
    return help ? SC_EXIT_OK : SC_EXIT_USAGE;
}

/* Says so, and which option was meant when one is near. */
static int unknown_option(const struct sc_command *cmd, const char *word)
{
    const char *name = word + strspn(word, "-"), *near = NULL;
    struct sc_str seen = {name, strcspn(name, "=")};
    unsigned max = NEAR;
    for (const struct sc_arg *a = cmd->args; a->name; a++)
        nearer(seen, a->name, &near, &max);
    fprintf(stderr, "stagecoach: unknown option '%s'", word);
    if (near)
        fprintf(stderr, "; did you mean '--%s'?", near);
    fprintf(stderr, "\nusage: stagecoach %s\n", cmd->usage);
    return SC_EXIT_USAGE;
}

/* The option a word names, with its attached value ("--name=value"), or NULL. */
static const struct sc_arg *find(const struct sc_command *cmd, const char *word, char **value)
{
    *value = NULL;
    for (const struct sc_arg *a = cmd->args; a->name; a++) {
        if (word[1] != '-') {
            if (a->letter && word[1] == a->letter && word[2] == '\0')
                return a;
            continue;
        }
        size_t n = strlen(a->name);
        if (strncmp(word + 2, a->name, n) != 0)
            continue;
        if (word[2 + n] == '\0')
            return a;
        if (word[2 + n] == '=') {
            /* argv's words are ours to point into */
            *value = strchr((char *)(uintptr_t)word, '=') + 1;
            return a;
        }
    }
    return NULL;
}

static bool store(const struct sc_arg *a, char *value)
{
    struct sc_str s = sc_str_from(value);
    switch (a->kind) {
    case SC_ARG_STR:
        *(const char **)a->to = value;
        return true;
    case SC_ARG_INT:
        return sc_str_int(s, (int64_t *)a->to) && *(int64_t *)a->to >= 0;
    case SC_ARG_DURATION:
        return sc_duration_parse(s, (int64_t *)a->to) && *(int64_t *)a->to >= 0;
    case SC_ARG_TIME:
        return sc_time_parse(s, NULL, (int64_t *)a->to, NULL);
    case SC_ARG_FLAG:
    case SC_ARG_MANY:
    case SC_ARG_GROUPS:
        break;
    }
    return false;
}

/* What a value looks like, for who wrote another one. */
static const char *expected(const struct sc_arg *a)
{
    switch (a->kind) {
    case SC_ARG_INT:
        return "a whole number";
    case SC_ARG_DURATION:
        return "a duration (30m, 24h, 1h30m, 7d)";
    case SC_ARG_TIME:
        return "a time (2026-03-02T10:00:00Z)";
    case SC_ARG_STR:
    case SC_ARG_FLAG:
    case SC_ARG_MANY:
    case SC_ARG_GROUPS:
        break;
    }
    return a->value;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static int check_words(const struct sc_command *cmd, const struct sc_words *words)
{
    if (cmd->words_max >= 0 && words->n > cmd->words_max)
        return usage_error(cmd, "one argument too many:", words->v[cmd->words_max]);
    if (words->n >= cmd->words_min)
        return 0;
    fprintf(stderr, "stagecoach: an argument is missing\nusage: stagecoach %s\n", cmd->usage);
    return SC_EXIT_USAGE;
}

int sc_args_parse(const struct sc_command *cmd, int argc, char **argv, struct sc_words *words)
{
    *words = (struct sc_words){argv + 1, 0};
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i], *value;
        if (ended || !is_option(word)) {
            words->v[words->n++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            ended = true;
            continue;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            help(cmd);
            return -1;
        }
        const struct sc_arg *a = find(cmd, word, &value);
        if (a == NULL)
            return unknown_option(cmd, word);
        if (a->kind == SC_ARG_FLAG) {
            if (value)
                return usage_error(cmd, "takes no value:", word);
            *(bool *)a->to = true;
            continue;
        }
        if (a->kind == SC_ARG_MANY || a->kind == SC_ARG_GROUPS) {
            struct sc_groups *groups = a->kind == SC_ARG_GROUPS ? a->to : NULL;
            struct sc_words *many = groups ? &groups->v[groups->n] : a->to;
            if (groups ? groups->n == SC_GROUPS_MAX : many->n > 0)
                return usage_error(cmd, groups ? "given too often:"
                                               : "given twice; all values go after one", word);
            if (groups)
                groups->n++;
            if (value) {
                argv[i] = value;
                i--;
            }
            many->v = argv + i + 1;
            for (many->n = 0; i + 1 < argc && !is_option(argv[i + 1]); i++)
                many->n++;
            if (many->n == 0)
                return usage_error(cmd, "a value is missing after", word);
            continue;
        }
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL)
            return usage_error(cmd, "a value is missing after", word);
        if (!store(a, value)) {
            fprintf(stderr, "stagecoach: --%s: expected %s, found '%s'\n", a->name, expected(a),
                    value);
            return SC_EXIT_USAGE;
        }
    }
    return check_words(cmd, words);
}
