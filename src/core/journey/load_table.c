/* What journey.yaml may hold: the tables that parse it, document it, and become its JSON Schema.
 * Those of `tests:` are the command's (cli/test_case.c).
 *
 * Expressions stay text with their node, so that a caret can stand inside them. */
#include "core/journey/load.h"

#define AT(type, member) offsetof(struct type, member)
#define EXPRESSIONS                                                                                \
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"boolean\",\"number\"]}}"

static const char *const reentry_names[] = {"always", "once", "after exit", NULL};
static const char *const format_names[] = {"avro", "protobuf", "json", NULL};
static const char *const calendar_names[] = {"day", "week", "month", NULL};
static const char *const then_names[] = {"defer", "suppress", NULL};
static const char *const ambiguous_names[] = {"hold", "allow", NULL};

static const struct sc_field stage_fields[] = {
    {.key = "name", .kind = SC_F_NAME, .offset = AT(doc_stage, name), .required = true,
     .doc = "Name of the stage, as transitions and `customer.stage` say it."},
    {.key = "initial", .kind = SC_F_BOOL, .offset = AT(doc_stage, initial),
     .doc = "Every customer starts here. Exactly one; the first stage unless said."},
    {.key = "when", .kind = SC_F_STR, .offset = AT(doc_stage, when),
     .node_offset = AT(doc_stage, when_at),
     .doc = "Expression that enters the stage. Tried after each event, from the stages of `from`."},
    {.key = "from", .kind = SC_F_STRS, .offset = AT(doc_stage, from),
     .node_offset = AT(doc_stage, from_at),
     .doc = "Stages it can be entered from, one or a list. Left out: every earlier stage, and "
            "every lapse. Going back in the order needs it."},
    {.key = "after", .kind = SC_F_STR, .offset = AT(doc_stage, after),
     .node_offset = AT(doc_stage, after_at),
     .doc = "Entered by silence instead of `when`: `90d without [order_completed]`, at most 3650d. "
            "Such a stage is a lapse and has no rank."},
    {.key = "target", .kind = SC_F_DURATION, .offset = AT(doc_stage, target_ms), .min = 1,
     .max = INT64_C(3650) * SC_DAY_MS,
     .doc = "How long a customer should stay at most. Later is the milestone `overdue:<stage>`."},
    {0}};
static const struct sc_table stage_table = {
    .name = "stage", .doc = "A place in the journey; a customer is in exactly one.",
    .size = sizeof(struct doc_stage), .fields = stage_fields, .key_field = SIZE_MAX,
    .self_node = AT(doc_stage, at)};

static const struct sc_field track_fields[] = {
    {.key = "stages", .kind = SC_F_LIST, .offset = AT(doc_track, stages), .table = &stage_table,
     .required = true, .doc = "Its stages, in order. Names are unique in all tracks."},
    {0}};
static const struct sc_table track_table = {
    .name = "track", .doc = "Stages walked beside those of other tracks.",
    .size = sizeof(struct doc_track), .fields = track_fields,
    .key_field = AT(doc_track, name), .self_node = AT(doc_track, at)};

static const struct sc_field arm_fields[] = {
    {.key = "name", .kind = SC_F_NAME, .offset = AT(doc_arm, name), .required = true,
     .doc = "Name of the arm, as records say it."},
    {.key = "weight", .kind = SC_F_INT, .offset = AT(doc_arm, weight), .min = 0, .max = 10000,
     .def = "1", .doc = "Its share of those not held out, beside the weights of the others."},
    {.key = "message", .kind = SC_F_STR, .offset = AT(doc_arm, message),
     .doc = "The message of this arm. The trigger's own unless set."},
    {.key = "send", .kind = SC_F_BOOL, .offset = AT(doc_arm, send), .def = "true",
     .doc = "`false`: nothing is sent, and recorded as HOLDOUT."},
    {0}};
static const struct sc_table arm_table = {
    .name = "arm", .doc = "One of several ways a trigger may go, drawn for each customer.",
    .size = sizeof(struct doc_arm), .fields = arm_fields, .key_field = SIZE_MAX,
    .self_node = AT(doc_arm, at)};

static const struct sc_field experiment_fields[] = {
    {.key = "name", .kind = SC_F_STR, .offset = AT(doc_experiment, name), .required = true,
     .node_offset = AT(doc_experiment, name_at),
     .doc = "Name and salt: for triggers of one name the draw is the same."},
    {.key = "holdout", .kind = SC_F_PERCENT, .offset = AT(doc_experiment, holdout_bp),
     .node_offset = AT(doc_experiment, holdout_at),
     .doc = "Share of customers who get nothing and are recorded as HOLDOUT, e.g. `10%`."},
    {.key = "arms", .kind = SC_F_LIST, .offset = AT(doc_experiment, arms), .table = &arm_table,
     .doc = "Ways the trigger may go. Each customer not held out has one, always the same."},
    {0}};
static const struct sc_table experiment_table = {
    .name = "experiment", .doc = "Measures what a trigger is worth.",
    .size = sizeof(struct doc_experiment), .fields = experiment_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field trigger_fields[] = {
    {.key = "name", .kind = SC_F_NAME, .offset = AT(doc_trigger, name), .required = true,
     .doc = "Name of the trigger."},
    {.key = "when", .kind = SC_F_STR, .offset = AT(doc_trigger, when),
     .node_offset = AT(doc_trigger, when_at),
     .doc = "Fires at once. Reads `event`: for each event that meets it; facts alone: when it "
            "becomes true."},
    {.key = "start", .kind = SC_F_STR, .offset = AT(doc_trigger, start),
     .node_offset = AT(doc_trigger, start_at),
     .doc = "Starts the wait of `after`; a later start moves it."},
    {.key = "after", .kind = SC_F_STR, .offset = AT(doc_trigger, after),
     .node_offset = AT(doc_trigger, after_at),
     .doc = "The wait: `1h without [order_completed, cart_emptied where event.all]`; a duration "
            "alone waits for nothing else. At most 3650d."},
    {.key = "unless", .kind = SC_F_STR, .offset = AT(doc_trigger, unless),
     .node_offset = AT(doc_trigger, unless_at),
     .doc = "Expression that ends the wait and cancels a deferred message as soon as it holds."},
    {.key = "key", .kind = SC_F_STR, .offset = AT(doc_trigger, key),
     .node_offset = AT(doc_trigger, key_at),
     .doc = "One occurrence for each value, e.g. `event.cart_id`; exits of another value do not "
            "count. At most 25 open ones a customer: past that the oldest is given up (EXPIRED)."},
    {.key = "purpose", .kind = SC_F_STRS, .offset = AT(doc_trigger, purpose),
     .doc = "Consent that is needed, one or a list (all of them). `service` passes marketing "
            "guardrails. Left out: consent is not asked, guardrails hold."},
    {.key = "channels", .kind = SC_F_STRS, .offset = AT(doc_trigger, channels), .required = true,
     .doc = "In order of preference: the first that stage, consent, preference and caps allow."},
    {.key = "message", .kind = SC_F_STR, .offset = AT(doc_trigger, message),
     .doc = "Passed on to the sender: which message or template."},
    {.key = "context", .kind = SC_F_NODE, .offset = AT(doc_trigger, context),
     .schema = EXPRESSIONS,
     .doc = "What the sender gets to know: name and expression, a snapshot of what the rule saw; a "
            "fixed text has quotes of its own: `'\"autumn\"'`. 32 KB at most."},
    {.key = "cooldown", .kind = SC_F_DURATION, .offset = AT(doc_trigger, cooldown_ms), .min = 0,
     .max = INT64_C(3650) * SC_DAY_MS,
     .doc = "No second one within this time after the last sent, by customer and key."},
    {.key = "expires", .kind = SC_F_DURATION, .offset = AT(doc_trigger, expires_ms), .min = 0,
     .max = INT64_C(3650) * SC_DAY_MS, .doc = "A decision later than this is worth nothing."},
    {.key = "priority", .kind = SC_F_INT, .offset = AT(doc_trigger, priority), .min = 0, .max = 100,
     .def = "50", .doc = "0 to 100; the higher one wins under `guardrails.arbitration`."},
    {.key = "experiment", .kind = SC_F_STRUCT, .offset = AT(doc_trigger, experiment),
     .node_offset = AT(doc_trigger, experiment_at), .table = &experiment_table,
     .doc = "Holds some customers out, so that lift can be measured."},
    {.key = "reentry", .kind = SC_F_ENUM, .offset = AT(doc_trigger, reentry),
     .names = reentry_names, .def = "always",
     .doc = "Whether a customer may get it again: `once`, `after exit` (only after an exit), "
            "`always`."},
    {.key = "ignores_caps", .kind = SC_F_BOOL, .offset = AT(doc_trigger, ignores_caps),
     .node_offset = AT(doc_trigger, ignores_caps_at),
     .doc = "Sent even when a cap is reached. True for `purpose: service` unless said."},
    {.key = "counts_toward_caps", .kind = SC_F_BOOL, .offset = AT(doc_trigger, counts_toward_caps),
     .node_offset = AT(doc_trigger, counts_toward_caps_at),
     .doc = "Takes a slot of the caps. True unless said, but for `purpose: service`."},
    {.key = "tags", .kind = SC_F_STRS, .offset = AT(doc_trigger, tags),
     .doc = "Names by which caps may speak of it, one or a list."},
    {0}};
static const struct sc_table trigger_table = {
    .name = "trigger", .doc = "A message to a customer, and when it is worth sending.",
    .size = sizeof(struct doc_trigger), .fields = trigger_fields, .key_field = SIZE_MAX,
    .self_node = AT(doc_trigger, at)};

static const struct sc_field channel_fields[] = {
    {.key = "topic", .kind = SC_F_STR, .offset = AT(doc_channel, topic),
     .doc = "Kafka topic its triggers go to. `triggers.<channel>` unless set."},
    {.key = "format", .kind = SC_F_ENUM, .offset = AT(doc_channel, format), .names = format_names,
     .def = "json", .doc = "Encoding on that topic."},
    {.key = "stages", .kind = SC_F_STRS, .offset = AT(doc_channel, stages),
     .node_offset = AT(doc_channel, stages_at),
     .doc = "Stages in which it may be used. All unless set."},
    {.key = "window", .kind = SC_F_DURATION, .offset = AT(doc_channel, window_ms),
     .node_offset = AT(doc_channel, window_at), .min = 0, .max = INT64_C(3650) * SC_DAY_MS,
     .doc = "Free text only so long after the customer's last inbound message on it, else a "
            "template: the trigger says which. 24h for `whatsapp` unless set, else no such rule."},
    {.key = "personas", .kind = SC_F_STRS, .offset = AT(doc_channel, personas),
     .doc = "Personas for which it may be used. Everybody unless set."},
    {0}};
static const struct sc_table channel_table = {
    .name = "channel", .doc = "A way to reach customers.", .size = sizeof(struct doc_channel),
    .fields = channel_fields, .key_field = AT(doc_channel, name),
    .self_node = AT(doc_channel, at)};

static const struct sc_field cap_fields[] = {
    {.key = "channels", .kind = SC_F_STRS, .offset = AT(doc_cap, channels),
     .doc = "Messages on these channels count together; `\"*\"` or left out: on all."},
    {.key = "stages", .kind = SC_F_STRS, .offset = AT(doc_cap, stages),
     .node_offset = AT(doc_cap, stages_at),
     .doc = "Holds for customers in these stages. All unless set."},
    {.key = "max", .kind = SC_F_INT, .offset = AT(doc_cap, max), .required = true, .min = 0,
     .max = 1000000, .doc = "So many messages at most."},
    {.key = "per", .kind = SC_F_DURATION, .offset = AT(doc_cap, per_ms),
     .node_offset = AT(doc_cap, per_at), .min = SC_SECOND_MS, .max = INT64_C(400) * SC_DAY_MS,
     .doc = "In every window of this length."},
    {.key = "calendar", .kind = SC_F_ENUM, .offset = AT(doc_cap, calendar),
     .node_offset = AT(doc_cap, calendar_at), .names = calendar_names,
     .doc = "Instead of `per`: in each calendar day, week (from Monday) or month."},
    {.key = "timezone", .kind = SC_F_STR, .offset = AT(doc_cap, timezone),
     .node_offset = AT(doc_cap, timezone_at),
     .doc = "With `calendar`: `customer`, `UTC` or a zone. UTC unless set."},
    {.key = "tags", .kind = SC_F_STRS, .offset = AT(doc_cap, tags),
     .doc = "Holds for triggers with one of these tags, and counts their messages together. All "
            "triggers unless set."},
    {0}};
static const struct sc_table cap_table = {
    .name = "cap", .doc = "How many messages a customer gets at most.",
    .size = sizeof(struct doc_cap), .fields = cap_fields, .key_field = SIZE_MAX,
    .self_node = AT(doc_cap, at)};

static const struct sc_field quiet_fields[] = {
    {.key = "from", .kind = SC_F_STR, .offset = AT(doc_quiet, from),
     .node_offset = AT(doc_quiet, from_at), .required = true,
     .doc = "Local time it starts, `\"21:00\"` (quoted: YAML reads 21:00 as a number elsewhere)."},
    {.key = "to", .kind = SC_F_STR, .offset = AT(doc_quiet, to),
     .node_offset = AT(doc_quiet, to_at), .required = true,
     .doc = "Local time it ends and deferred messages are released; may be next morning."},
    {.key = "timezone", .kind = SC_F_STR, .offset = AT(doc_quiet, timezone),
     .node_offset = AT(doc_quiet, timezone_at), .def = "customer",
     .doc = "`customer` (stated preference, then the phone's country), `UTC` or a zone."},
    {.key = "otherwise", .kind = SC_F_STR, .offset = AT(doc_quiet, otherwise),
     .node_offset = AT(doc_quiet, otherwise_at),
     .doc = "Zone of customers whose own is unknown. Left out: their marketing is held."},
    {.key = "then", .kind = SC_F_ENUM, .offset = AT(doc_quiet, then), .names = then_names,
     .def = "defer", .doc = "`defer` to the end of the night, or `suppress`."},
    {0}};
static const struct sc_table quiet_table = {
    .name = "quiet_hours", .doc = "When nobody wants a message.", .size = sizeof(struct doc_quiet),
    .fields = quiet_fields, .key_field = SIZE_MAX, .self_node = SIZE_MAX};

static const struct sc_field fatigue_fields[] = {
    {.key = "half_life", .kind = SC_F_DURATION, .offset = AT(doc_fatigue, half_life_ms),
     .required = true, .min = SC_SECOND_MS, .max = INT64_C(3650) * SC_DAY_MS,
     .doc = "Time in which the score falls to half."},
    {.key = "add", .kind = SC_F_NODE, .offset = AT(doc_fatigue, add), .required = true,
     .schema = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\",\"minimum\":0}}",
     .doc = "Points for what happened: an event's name, `trigger:<name>` or `trigger:*` for "
            "messages sent."},
    {.key = "pause_at", .kind = SC_F_DOUBLE, .offset = AT(doc_fatigue, pause_at), .required = true,
     .node_offset = AT(doc_fatigue, pause_node), .doc = "Marketing pauses from this score on."},
    {.key = "resume_at", .kind = SC_F_DOUBLE, .offset = AT(doc_fatigue, resume_at),
     .required = true, .node_offset = AT(doc_fatigue, resume_node),
     .doc = "It resumes below this one."},
    {0}};
static const struct sc_table fatigue_table = {
    .name = "fatigue", .doc = "How much a customer has had to bear lately.",
    .size = sizeof(struct doc_fatigue), .fields = fatigue_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field guard_fields[] = {
    {.key = "caps", .kind = SC_F_LIST, .offset = AT(doc_guardrails, caps), .table = &cap_table,
     .doc = "Frequency caps; a message must fit in all of them."},
    {.key = "quiet_hours", .kind = SC_F_STRUCT, .offset = AT(doc_guardrails, quiet),
     .node_offset = AT(doc_guardrails, quiet_at), .table = &quiet_table, .doc = "The night."},
    {.key = "fatigue", .kind = SC_F_STRUCT, .offset = AT(doc_guardrails, fatigue),
     .node_offset = AT(doc_guardrails, fatigue_at), .table = &fatigue_table,
     .doc = "A score that decays; over a bound marketing pauses."},
    {.key = "hold_while", .kind = SC_F_STRS, .offset = AT(doc_guardrails, hold_while),
     .doc = "Expressions over facts: marketing that falls due while one of them holds is suppressed "
            "(HOLD), not put off."},
    {.key = "ambiguous", .kind = SC_F_ENUM, .offset = AT(doc_guardrails, ambiguous),
     .names = ambiguous_names, .def = "hold",
     .doc = "A customer whose identity is ambiguous gets no marketing (`hold`), or does."},
    {.key = "arbitration", .kind = SC_F_DURATION, .offset = AT(doc_guardrails, arbitration_ms),
     .node_offset = AT(doc_guardrails, arbitration_at), .min = 0, .max = SC_MINUTE_MS,
     .doc = "Triggers of one customer that fire within it compete by priority, and wait until it "
            "is over; `0s`: those of one instant. Left out: they do not compete."},
    {0}};
static const struct sc_table guard_table = {
    .name = "guardrails", .doc = "What every message but service messages must pass.",
    .size = sizeof(struct doc_guardrails), .fields = guard_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};

static const struct sc_field journey_fields[] = {
    {.key = "journey", .kind = SC_F_NAME, .offset = AT(doc_journey, name), .required = true,
     .doc = "Name of the journey; part of every trigger's id."},
    {.key = "taxonomy", .kind = SC_F_STR, .offset = AT(doc_journey, taxonomy),
     .def = "taxonomy.yaml", .doc = "The event dictionary's file, relative to this one."},
    {.key = "facts", .kind = SC_F_NODE, .offset = AT(doc_journey, facts),
     .schema = "{\"type\":\"object\",\"additionalProperties\":{\"oneOf\":[{\"type\":\"string\"},"
               "{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"string\"},\"exact\":"
               "{\"type\":\"boolean\"}},\"required\":[\"value\"],"
               "\"additionalProperties\":false}]}}",
     .doc = "Names for expressions: `orders: count(\"order_completed\")`, or `{ value: …, exact: "
            "true }` to keep up to 4,096 times of a window exactly."},
    {.key = "stages", .kind = SC_F_LIST, .offset = AT(doc_journey, stages), .table = &stage_table,
     .doc = "In order. Without any, everybody is in one stage named `customer`."},
    {.key = "tracks", .kind = SC_F_MAP, .offset = AT(doc_journey, tracks), .table = &track_table,
     .doc = "Further stages, walked in parallel: a customer is in one stage of each track, which "
            "expressions call `customer.<track>`. Without `stages` the first track is the main "
            "one, `customer.stage`."},
    {.key = "personas", .kind = SC_F_NODE, .offset = AT(doc_journey, personas),
     .schema = EXPRESSIONS,
     .doc = "Name and expression over facts; a customer is the first that holds."},
    {.key = "milestones", .kind = SC_F_NODE, .offset = AT(doc_journey, milestones),
     .schema = EXPRESSIONS,
     .doc = "Name and expression over facts; reached once ever. Prefer `>=` to `==`: a merge of "
            "two customers can step over a count."},
    {.key = "triggers", .kind = SC_F_LIST, .offset = AT(doc_journey, triggers),
     .table = &trigger_table, .doc = "Messages."},
    {.key = "channels", .kind = SC_F_MAP, .offset = AT(doc_journey, channels),
     .table = &channel_table, .doc = "Ways to reach customers, by name."},
    {.key = "guardrails", .kind = SC_F_STRUCT, .offset = AT(doc_journey, guard),
     .table = &guard_table, .doc = "Caps, quiet hours, fatigue, holds."},
    {.key = "analytics", .kind = SC_F_STRUCT, .offset = AT(doc_journey, analytics),
     .table = &load_analytics_table,
     .doc = "Which events are contacts, answers, escalations and scores (docs/analytics.md)."},
    {.key = "lateness", .kind = SC_F_DURATION, .offset = AT(doc_journey, lateness_ms), .min = 0,
     .max = INT64_C(36500) * SC_DAY_MS, .def = "24h",
     .doc = "Events later than this behind the watermark update facts, and fire nothing."},
    {.key = "reorder", .kind = SC_F_DURATION, .offset = AT(doc_journey, reorder_ms), .min = 0,
     .max = INT64_C(36500) * SC_DAY_MS, .def = "0s",
     .doc = "An event waits until the watermark is so far past it; order is then by event time."},
    {.key = "tests", .kind = SC_F_NODE, .offset = AT(doc_journey, tests),
     .doc = "Cases for `stagecoach test`."},
    {.key = "holdout", .kind = SC_F_PERCENT, .offset = AT(doc_journey, holdout_bp),
     .node_offset = AT(doc_journey, holdout_at),
     .doc = "Share of customers who get no message but service messages: the experiment "
            "`holdout`, the same customers in every journey."},
    {0}};
const struct sc_table sc_journey_table = {
    .name = "journey",
    .doc = "Stages, triggers and guardrails: what Stagecoach does for each customer.",
    .size = sizeof(struct doc_journey), .fields = journey_fields, .key_field = SIZE_MAX,
    .self_node = SIZE_MAX};
