/* stagecoach explain: why something is as it is. */
#include "cli/explain.h"

#include "cli/args.h"
#include "cli/cli.h"

int sc_cmd_explain(int argc, char **argv)
{
    static const struct sc_subject subjects[] = {
        {"customer", sc_explain_customer,
         "customer ID|--identifier NS=VALUE JOURNEY --events FILE… | --config SETTINGS"},
        {"event", sc_explain_event, "event TOPIC:PARTITION:OFFSET [--config SETTINGS]"},
        {"rule", sc_explain_rule, "rule NAME JOURNEY"},
        {"code", sc_explain_code, "code CODE"},
        {0},
    };
    return sc_subjects_run("explain", subjects, argc, argv);
}
