/* Expressions: a subset of CEL, checked against taxonomy and facts at load, folded, and compiled
 * to a flat program that one evaluator runs. See README.md in this folder and docs/expressions.md.
 *
 * Errors are values (CEL): `&&` and `||` absorb them, a rule that ends in an error does not hold. */
#ifndef SC_CORE_RULE_H
#define SC_CORE_RULE_H

#include "base/regex.h"
#include "base/time.h"
#include "config/diag.h"
#include "core/taxonomy/taxonomy.h"

struct sc_prog; /* read-only once compiled */

/* ---- Facts: the aggregates that expressions name; interned, so that the same text is one fact */

enum sc_fact_kind {
    SC_FACT_COUNT, SC_FACT_SUM, SC_FACT_MIN, SC_FACT_MAX, SC_FACT_AVG, SC_FACT_DISTINCT,
    SC_FACT_FIRST, SC_FACT_LAST, SC_FACT_SEEN, SC_FACT_SINCE
};

enum sc_calendar { SC_ROLLING, SC_CAL_DAY, SC_CAL_WEEK, SC_CAL_MONTH };

/* A zone as the user names it: the customer's (by preference, phone, journey default) or fixed. */
struct sc_zone_ref {
    bool customer;
    const struct sc_tz *fixed; /* when not customer; NULL: UTC */
};

struct sc_fact {
    enum sc_fact_kind kind;
    uint16_t event;       /* taxonomy event index */
    int16_t prop;         /* property index, -1: none (first/last: the time) */
    int64_t window_ms;    /* 0: since ever; of a calendar window the longest it can be */
    int32_t calendar;     /* enum sc_calendar: the local day, week or month so far */
    struct sc_zone_ref zone; /* of the calendar window */
    bool exact;           /* keep up to 4,096 times rather than buckets past 64 */
    const struct sc_prog *where; /* NULL: every such event; reads `event` only */
    struct sc_str text;   /* canonical text: spaces, quotes and window in one form; where: included,
                             exact marked by a trailing " exact" */
    uint32_t key;         /* sc_hash_name(text): its key in stored states */
    struct sc_str name;   /* of a named fact, else empty */
    struct sc_mark mark;  /* first use */
};

/* ---- Scope: what names mean while compiling */

struct sc_named_expr {    /* `facts:` of the journey: a name for an expression */
    struct sc_str name;
    const struct sc_prog *prog;
    uint8_t type, element; /* enum sc_type */
    struct sc_mark mark;
};

/* A variable of a free-standing expression (sc_rule_eval_text). */
struct sc_rule_binding {
    struct sc_str name; /* may have dots: "a.b" */
    struct sc_value value;
};

/* A track of stages: customer.<name> is the stage in it, one of `stages`. */
struct sc_scope_track {
    struct sc_str name; /* may be empty: the main one, customer.stage alone */
    const struct sc_str *stages;
    uint32_t n_stages;
};

#define SC_FACTS_MAX 16384 /* of one scope */

struct sc_scope {
    const struct sc_taxonomy *tx; /* NULL: free-standing CEL, types are found at run time */
    struct sc_arena *ar;
    struct sc_diag *dg;
    SC_VEC(struct sc_fact) facts;         /* interned while compiling */
    struct sc_map fact_by_key;            /* the key's bytes -> index + 1 */
    struct sc_map fact_past;              /* text of each that is past SC_FACTS_MAX */
    struct sc_over facts_over;            /* they, for the loader to report */
    SC_VEC(struct sc_named_expr) names;
    struct sc_map name_by_text;           /* index + 1 of the first of that name */
    uint64_t (*read)[SC_PROPERTIES_MAX / 64]; /* by event: properties read as event.x or by facts */
    uint32_t *ring_reads;  /* by event: 1 when recent() may return it */
    bool exact;            /* aggregates compiled now are exact (facts: {exact: true}) */
    bool recent_used;
    uint32_t recent_max;   /* the largest n asked of recent() */
    const struct sc_scope_track *tracks; /* the main one first; may be NULL */
    uint32_t n_tracks;
    SC_VEC(struct sc_regex *) regexes; /* constant patterns, owned */
    SC_VEC(struct sc_tz *) zones;      /* constant time zones, owned */
    const struct sc_rule_binding *vars; /* tx == NULL: variables, and the container of names */
    uint32_t n_vars;
    struct sc_str container;
};

void sc_scope_init(struct sc_scope *sp, const struct sc_taxonomy *tx, struct sc_arena *ar,
                   struct sc_diag *dg);

/* Give back what arenas cannot: compiled patterns and zones. Programs must not run afterwards. */
void sc_scope_fini(struct sc_scope *sp);
/* From now on `name` stands for the program; when that is one aggregate, the fact gets the name.
 * NULL: the name's own expression is wrong; what uses it fails without a finding of its own. */
void sc_scope_name(struct sc_scope *sp, struct sc_str name, const struct sc_prog *prog,
                   struct sc_mark mark);

enum sc_rule_use {
    SC_USE_RULE,    /* must be bool */
    SC_USE_VALUE,   /* any type (facts, context) */
    SC_USE_WHERE    /* bool over `event` of one event type alone: no facts */
};

struct sc_rule_opts {
    enum sc_rule_use use;
    int32_t only_event; /* the event type known from elsewhere (where:), or -1 */
    const uint16_t *events; /* or several of them (a trigger's key and context); NULL: any */
    uint32_t n_events;
    bool no_event;      /* `event` may not be read here (milestones, personas, facts) */
    bool may_be_absent; /* a property that is the whole expression may be optional: no key, null */
};

/* Compile `text`, which stands at `mark`. NULL with findings when it is wrong.
 * What is outside the subset is refused by name. */
const struct sc_prog *sc_rule_compile(struct sc_scope *sp, struct sc_str text, struct sc_mark mark,
                                      struct sc_rule_opts opts);

/* ---- What the compiler knows of a program */

struct sc_rule_info {
    uint8_t type, element;     /* result */
    bool reads_event;          /* an occurrence, not an edge (semantics 23) */
    bool reads_facts;
    bool reads_more;           /* of the customer: open(), recent(), customer.x, whatever the facts */
    const uint16_t *events;    /* events for which it can hold; NULL: any */
    uint32_t n_events;
    const uint16_t *facts;     /* facts it reads */
    uint32_t n_facts;
    /* It holds only where this text property of its one event has this value: -1, it may elsewhere. */
    int16_t match_prop;
    uint64_t match_hash;       /* sc_value_hash of the value */
    bool equals_count;         /* compares a count by ==: a merge of two customers can step over it */
    uint32_t cost;             /* bound: steps at worst */
    bool constant;             /* folded to a constant */
    /* `seen(e)` or `count(e) >= n` alone without a window (semantics 13): when not -1, the fact and
     * n for which the milestone's time can be corrected. */
    int32_t ladder_fact;
    int64_t ladder_n;
};
const struct sc_rule_info *sc_rule_info(const struct sc_prog *p);
struct sc_str sc_rule_text(const struct sc_prog *p);

/* ---- Evaluation */

/* Names that speak of the customer as it stands. */
enum sc_attr {
    SC_ATTR_STAGE,    /* customer.stage: string */
    SC_ATTR_PERSONA,  /* customer.persona: string, "" when none */
    SC_ATTR_TIMEZONE, /* customer.timezone: string, "" when unknown */
    SC_ATTR_LANGUAGE, /* customer.language */
    SC_ATTR_CHANNEL,  /* customer.channel: the preferred one, "" when none */
    SC_ATTR_TRACK     /* + t: customer.<track>: the stage in track t of the scope */
};

struct sc_rule_ctx;
/* How the evaluator asks for what it does not own; `now_ms` is in ctx. */
struct sc_rule_host {
    struct sc_value (*fact)(const struct sc_rule_ctx *cx, uint32_t fact);
    struct sc_value (*open)(const struct sc_rule_ctx *cx, uint32_t case_index);
    struct sc_value (*recent)(const struct sc_rule_ctx *cx, int32_t event /* -1: any */, uint32_t n);
    struct sc_value (*attr)(const struct sc_rule_ctx *cx, enum sc_attr attr);
    /* A time zone by a name found at run time; NULL pointer or result: fixed offsets and UTC alone. */
    const struct sc_tz *(*zone)(const struct sc_rule_ctx *cx, struct sc_str name);
};

struct sc_rule_ctx {
    const struct sc_taxonomy *tx;
    const struct sc_event *ev; /* NULL: a timer, a merge: event.* is an error value */
    int64_t now_ms;            /* facts are aged to this event time */
    const struct sc_rule_host *host;
    void *arg;                 /* the host's own */
    const struct sc_rule_binding *vars; /* variables of a free-standing expression */
    struct sc_arena *ar;       /* lists and strings made while evaluating */
    struct sc_rule_trace *trace; /* NULL: none */
};

/* Every sub-expression with its value, for explain and failing tests: in source order. */
struct sc_trace_step {
    uint32_t offset, len; /* of the sub-expression in the rule's text */
    struct sc_value value;
};
struct sc_rule_trace {
    SC_VEC(struct sc_trace_step) steps;
};

struct sc_value sc_rule_eval(const struct sc_prog *p, const struct sc_rule_ctx *cx);
/* True only when the result is the bool true. */
bool sc_rule_holds(const struct sc_prog *p, const struct sc_rule_ctx *cx);

/* ---- CEL alone: no taxonomy, no facts */

struct sc_rule_text {
    struct sc_str expr;
    struct sc_str container; /* names are looked up in it first, may be empty */
    const struct sc_rule_binding *vars;
    uint32_t n_vars;
};
/* Compile and evaluate at once; the value lives in `ar`. False, with findings, when the text is
 * outside the subset; an undeclared name or function is a warning and an error value. */
bool sc_rule_eval_text(const struct sc_rule_text *in, struct sc_arena *ar, struct sc_diag *dg,
                       struct sc_value *out);

/* Markdown tables of all functions, operators' rows and aggregates: docs/expressions.md. */
void sc_rule_reference(struct sc_buf *out);

#endif
