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

#define NEAR 3 /* edits: less is meant */

struct sc_near sc_near_to(struct sc_str seen)
{
    return (struct sc_near){.seen = seen, .max = NEAR};
}

void sc_near_try(struct sc_near *nr, struct sc_str name)
{
    unsigned d = nr->seen.len > 2 ? sc_str_distance(nr->seen, name, nr->max) : nr->max;
    if (d < nr->max) {
        nr->name = name;
        nr->max = d;
    }
}

bool sc_near_say(const struct sc_near *nr, const char *before)
{
    if (nr->name.p)
        fprintf(stderr, "; did you mean '%s%.*s'?", before, SC_STR_FMT(nr->name));
    return nr->name.p != NULL;
}

void sc_subject_suggest(const struct sc_subject *subjects, const char *word)
{
    struct sc_near nr = sc_near_to(sc_str_from(word));
    for (const struct sc_subject *s = subjects; s->name; s++)
        sc_near_try(&nr, sc_str_from(s->name));
    sc_near_say(&nr, "");
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
    } else if (!help) {
        fprintf(stderr, "stagecoach: a word is missing after '%s'\n", command);
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
    const char *name = word + strspn(word, "-");
    struct sc_near nr = sc_near_to((struct sc_str){name, strcspn(name, "=")});
    for (const struct sc_arg *a = cmd->args; a->name; a++)
        sc_near_try(&nr, sc_str_from(a->name));
    fprintf(stderr, "stagecoach: unknown option '%s'", word);
    if (!sc_near_say(&nr, "--") && word[1] != '-' && cmd->words_max != 0)
        fprintf(stderr, "; an argument that begins with - stands behind --");
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

/* One of the command's options, or the end of them: no value of another. */
static bool is_known(const struct sc_command *cmd, const char *word)
{
    char *value;
    if (!is_option(word))
        return false;
    return strcmp(word, "--") == 0 || strcmp(word, "--help") == 0 || find(cmd, word, &value);
}

static int check_words(const struct sc_command *cmd, const struct sc_words *words)
{
    if (cmd->words_max >= 0 && words->n > cmd->words_max)
        return usage_error(cmd, "one argument too many:", words->v[cmd->words_max]);
    bool empty = false;
    for (int i = 0; i < words->n; i++)
        empty |= words->v[i][0] == '\0';
    if (words->n >= cmd->words_min && !empty)
        return 0;
    fprintf(stderr, "stagecoach: an argument is %s\nusage: stagecoach %s\n",
            empty ? "empty" : "missing", cmd->usage);
    return SC_EXIT_USAGE;
}

/* Where parsing stands: argv[at] is the option in hand. */
struct parse {
    const struct sc_command *cmd;
    int argc, at;
    char **argv;
    uint64_t given; /* bit by place in the table: options of one value that were seen */
};

/* `value` (of "--name=value", or NULL), else the words up to the next option. */
static int take_many(struct parse *ps, const struct sc_arg *a, char *value)
{
    struct sc_groups *groups = a->kind == SC_ARG_GROUPS ? a->to : NULL;
    struct sc_words *many = groups ? &groups->v[groups->n] : a->to;
    char *word = ps->argv[ps->at];
    if (groups ? groups->n == SC_GROUPS_MAX : many->n > 0)
        return usage_error(ps->cmd, groups ? "given too often:"
                                           : "given twice; all values go after one", word);
    if (groups)
        groups->n++;
    if (value) {
        ps->argv[ps->at] = value;
        ps->at--;
    }
    bool empty = false;
    many->v = ps->argv + ps->at + 1;
    for (many->n = 0; ps->at + 1 < ps->argc && !is_option(ps->argv[ps->at + 1]); ps->at++)
        empty |= many->v[many->n++][0] == '\0';
    return many->n == 0 || empty ? usage_error(ps->cmd, "a value is missing after", word) : 0;
}

static int take_one(struct parse *ps, const struct sc_arg *a, char *value)
{
    const struct sc_command *cmd = ps->cmd;
    uint64_t bit = UINT64_C(1) << (a - cmd->args);
    char *word = ps->argv[ps->at];
    if (ps->given & bit)
        return usage_error(cmd, "given twice:", word);
    ps->given |= bit;
    if (value == NULL && ps->at + 1 < ps->argc && !is_known(cmd, ps->argv[ps->at + 1]))
        value = ps->argv[++ps->at];
    if (value == NULL || *value == '\0')
        return usage_error(cmd, "a value is missing after", word);
    if (store(a, value))
        return 0;
    fprintf(stderr, "stagecoach: --%s: expected %s, found '%s'\n", a->name, expected(a), value);
    return SC_EXIT_USAGE;
}

static int take_option(struct parse *ps)
{
    char *value, *word = ps->argv[ps->at];
    const struct sc_arg *a = find(ps->cmd, word, &value);
    if (a == NULL)
        return unknown_option(ps->cmd, word);
    if (a->kind == SC_ARG_MANY || a->kind == SC_ARG_GROUPS)
        return take_many(ps, a, value);
    if (a->kind != SC_ARG_FLAG)
        return take_one(ps, a, value);
    if (value)
        return usage_error(ps->cmd, "takes no value:", word);
    *(bool *)a->to = true;
    return 0;
}

int sc_args_parse(const struct sc_command *cmd, int argc, char **argv, struct sc_words *words)
{
    *words = (struct sc_words){argv + 1, 0};
    struct parse ps = {.cmd = cmd, .argc = argc, .argv = argv};
    bool ended = false;
    for (ps.at = 1; ps.at < argc; ps.at++) {
        char *word = argv[ps.at];
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
        int rc = take_option(&ps);
        if (rc)
            return rc;
    }
    return check_words(cmd, words);
}
