/* stagecoach explain code: codes of dead letters and drops, reasons of suppressed messages. Names
 * and texts are those of their tables; what to do about one stands here. */
#include "cli/explain.h"

#include "base/assert.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "core/drop.h"
#include "core/journey/effects.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static const char *reason_advice(enum sc_reason reason)
{
    switch (reason) {
    case SC_REASON_NONE:
    case SC_REASON_COUNT:
        break;
    case SC_REASON_LATE:
        return "Raise `lateness` when the source is slow by nature; else look at its delivery.";
    case SC_REASON_EXPIRED:
        return "Lengthen the trigger's `expires`, or let it start outside quiet hours; of more than 25 open "
               "keys of a customer the oldest goes: a `key` of fewer values.";
    case SC_REASON_COOLDOWN:
        return "Nothing, when it is meant; else shorten `cooldown`, or give the trigger a `key`.";
    case SC_REASON_HOLDOUT:
        return "Nothing: these records are the control group that lift is measured against.";
    case SC_REASON_CONSENT:
        return "Send consent events for the purpose; without a grant there is no marketing. "
               "Service messages have `purpose: service`.";
    case SC_REASON_SNOOZED:
        return "Nothing: the customer asked for it.";
    case SC_REASON_AMBIGUOUS_IDENTITY:
        return "Look at the customer's identifiers on the identity topic; "
               "`guardrails.ambiguous: allow` sends all the same.";
    case SC_REASON_HOLD:
        return "The gates of the record name the `hold_while` expression that held.";
    case SC_REASON_FATIGUE:
        return "Weigh `guardrails.fatigue`: its points, `half_life`, `pause_at`, `resume_at`.";
    case SC_REASON_NO_CHANNEL:
        return "Add a channel that the customer's stage and preference allow, or widen "
               "`channels.<name>.stages`.";
    case SC_REASON_CAP_REACHED:
        return "The gates of the record say which cap, and how many were sent.";
    case SC_REASON_LOWER_PRIORITY:
        return "Raise the trigger's `priority`, or shorten `guardrails.arbitration`.";
    case SC_REASON_QUIET_HOURS:
        return "With `then: defer` it waits for the morning; held at once means that the "
               "customer's zone is unknown: set `otherwise`.";
    }
    SC_UNREACHABLE("reason");
}

static const char *drop_advice(enum sc_drop drop)
{
    switch (drop) {
    case SC_DROP_NONE:
    case SC_DROP_COUNT:
        break;
    case SC_DROP_FRAME_TRUNCATED:
    case SC_DROP_FRAME_MAGIC:
    case SC_DROP_FRAME_INDEX:
        return "The producer does not write the registry's framing: give the source a local "
               "schema file, or correct the producer.";
    case SC_DROP_SCHEMA_UNKNOWN:
    case SC_DROP_SCHEMA_UNUSABLE:
        return "Compare the registry's schema with the source's paths in the taxonomy.";
    case SC_DROP_EMPTY_VALUE:
    case SC_DROP_TRUNCATED:
    case SC_DROP_MALFORMED:
    case SC_DROP_TRAILING:
    case SC_DROP_DEPTH:
    case SC_DROP_SIZE:
    case SC_DROP_UTF8:
        return "The payload is damaged or of another format: check the source's `format`, then "
               "the producer.";
    case SC_DROP_NO_EVENT:
    case SC_DROP_UNKNOWN_EVENT:
    case SC_DROP_NO_TIME:
    case SC_DROP_NO_ID:
    case SC_DROP_BAD_IDENTIFIER:
    case SC_DROP_UNKNOWN_SOURCE:
        return "Correct the source's mapping (`event`, `occurred_at`, `id`, `identifiers`, "
               "`events`) or declare the name in the taxonomy.";
    case SC_DROP_MISSING_PROPERTY:
    case SC_DROP_WRONG_TYPE:
    case SC_DROP_OUT_OF_RANGE:
    case SC_DROP_NOT_IN_ENUM:
    case SC_DROP_DECIMAL_DIGITS:
        return "Compare the property's declaration in the taxonomy with what the source sends; "
               "its header `stagecoach.error.path` names it.";
    case SC_DROP_POISON:
        return "Keep the record and report it: handling it ended the process, which is a bug.";
    case SC_DROP_IGNORED_EVENT:
        return "Nothing: the source says `unknown: ignore`.";
    case SC_DROP_DUPLICATE:
        return "Nothing: it was sent more than once and counts once.";
    case SC_DROP_ANONYMOUS:
        return "Map an identifier for the source, if these events belong to customers.";
    case SC_DROP_ERASED:
        return "Nothing: the customer was forgotten, and a replay brings nobody back.";
    }
    SC_UNREACHABLE("drop");
}

static bool print_reason(const char *code)
{
    for (int i = SC_REASON_NONE + 1; i < SC_REASON_COUNT; ++i) {
        enum sc_reason reason = (enum sc_reason)i;
        if (strcasecmp(code, sc_reason_name(reason)) != 0)
            continue;
        printf("%s: a message was not sent: %s.\n%s\n", sc_reason_name(reason),
               sc_reason_text(reason), reason_advice(reason));
        return true;
    }
    return false;
}

static bool print_drop(const char *code)
{
    for (int i = SC_DROP_NONE + 1; i < SC_DROP_COUNT; ++i) {
        enum sc_drop drop = (enum sc_drop)i;
        if (strcasecmp(code, sc_drop_label(drop)) != 0)
            continue;
        printf("%s: %s (%s, %s).\n%s\n", sc_drop_label(drop), sc_drop_text(drop),
               sc_drop_dead_letter(drop) ? "a dead letter" : "dropped and counted",
               sc_drop_stage(drop), drop_advice(drop));
        return true;
    }
    return false;
}

static void print_known(FILE *to)
{
    fprintf(to, "reasons:");
    for (int i = SC_REASON_NONE + 1; i < SC_REASON_COUNT; ++i)
        fprintf(to, " %s", sc_reason_name((enum sc_reason)i));
    fprintf(to, "\ncodes:");
    for (int i = SC_DROP_NONE + 1; i < SC_DROP_COUNT; ++i)
        fprintf(to, " %s", sc_drop_label((enum sc_drop)i));
    fputc('\n', to);
}

/* The nearest of reasons and codes, whatever the case of its letters. */
static int unknown_code(const char *code)
{
    struct sc_buf upper = {0}, lower = {0};
    for (const char *at = code; *at; at++) {
        sc_buf_char(&upper, (char)toupper((unsigned char)*at));
        sc_buf_char(&lower, (char)tolower((unsigned char)*at));
    }
    struct sc_near near = sc_near_to(sc_buf_view(&upper));
    for (int i = SC_REASON_NONE + 1; i < SC_REASON_COUNT; ++i)
        sc_near_try(&near, sc_str_from(sc_reason_name((enum sc_reason)i)));
    near.seen = sc_buf_view(&lower);
    for (int i = SC_DROP_NONE + 1; i < SC_DROP_COUNT; ++i)
        sc_near_try(&near, sc_str_from(sc_drop_label((enum sc_drop)i)));
    fprintf(stderr, "stagecoach explain: there is no code '%s'", code);
    bool said = sc_near_say(&near, "");
    fputc('\n', stderr);
    if (!said)
        print_known(stderr);
    sc_buf_fini(&upper);
    sc_buf_fini(&lower);
    return SC_EXIT_FINDINGS;
}

int sc_explain_code(int argc, char **argv)
{
    const struct sc_arg args[] = {{0}};
    static const char about[] =
        "What the reason of a suppressed message (CAP_REACHED) or the code of a dead letter or a\n"
        "dropped record (wrong_type) means, and what to do about it.";
    const struct sc_command cmd = {"explain code CODE", about, args, 1, 1};
    struct sc_words words;
    int rc = sc_args_parse(&cmd, argc, argv, &words);
    if (rc)
        return rc < 0 ? SC_EXIT_OK : rc;
    if (print_reason(words.v[0]) || print_drop(words.v[0]))
        return SC_EXIT_OK;
    return unknown_code(words.v[0]);
}
