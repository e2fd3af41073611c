/* Experiments: of triggers by name, and the global holdout.
 *
 * An experiment is one thing however many triggers name it: share, arms and weights must be the
 * same in each, or the records of one name would speak of two draws. What an arm sends is the
 * trigger's own affair. */
#include "core/journey/load.h"
#include "base/assert.h"

#define GLOBAL "holdout"
#define SHARES 10000u

static int find(const struct load *ld, struct sc_str name)
{
    for (uint32_t i = 0; i < ld->experiments.n; ++i)
        if (sc_str_eq(ld->experiments.v[i].name, name))
            return (int)i;
    return -1;
}

void load_holdout(struct load *ld)
{
    SC_ASSERT(ld->experiments.n == 0);
    ld->jo->holdout = -1;
    if (ld->doc->holdout_at == NULL)
        return;
    struct sc_experiment ex = {.name = SC_STR(GLOBAL), .holdout_bp = ld->doc->holdout_bp,
                               .at = ld->doc->holdout_at};
    SC_VEC_PUSH(ld->ar, &ld->experiments, ex);
    ld->jo->holdout = 0;
}

/* ---- arms */

static uint64_t weights_of(const struct sc_list *arms)
{
    const struct doc_arm *doc = arms->v;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < arms->n; ++i)
        sum += (uint64_t)doc[i].weight;
    return sum;
}

static bool arm_name_ok(struct load *ld, const struct doc_arm *doc, uint32_t at)
{
    struct sc_str name = doc[at].name;
    if (sc_str_eqz(name, "holdout") || sc_str_eqz(name, "everyone")) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-name", load_mark(doc[at].at),
                    "'%.*s' is what records say of those without an arm: another name",
                    SC_STR_FMT(name));
        return false;
    }
    for (uint32_t i = 0; i < at; ++i) {
        if (!sc_str_eq(doc[i].name, name))
            continue;
        sc_diag_add(ld->dg, SC_ERROR, "duplicate-name", load_mark(doc[at].at),
                    "a second arm '%.*s'", SC_STR_FMT(name))
            ->decl = load_mark(doc[i].at);
        return false;
    }
    return true;
}

static bool arms_ok(struct load *ld, const struct sc_list *arms)
{
    const struct doc_arm *doc = arms->v;
    bool ok = true;
    if (arms->n > SC_ARMS_MAX) {
        sc_diag_over(ld->dg, &(struct sc_over){load_mark(doc[SC_ARMS_MAX].at), arms->n - SC_ARMS_MAX},
                     "an experiment has", SC_ARMS_MAX, "arms");
        return false;
    }
    for (uint32_t i = 0; i < arms->n; ++i)
        ok &= arm_name_ok(ld, doc, i);
    if (arms->n > 0 && weights_of(arms) == 0) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-experiment", load_mark(doc[0].at),
                    "all weights are 0: nobody has an arm");
        ok = false;
    }
    return ok;
}

/* Contiguous ranges in the order written; the last one ends at the whole. */
static struct sc_arm *arms_make(struct load *ld, const struct sc_list *arms)
{
    const struct doc_arm *doc = arms->v;
    struct sc_arm *out = SC_NEW_N(ld->ar, struct sc_arm, arms->n + 1);
    uint64_t all = weights_of(arms), sum = 0;
    for (uint32_t i = 0; i < arms->n; ++i) {
        sum += (uint64_t)doc[i].weight;
        SC_ASSERT(sum <= all && all > 0);
        out[i] = (struct sc_arm){doc[i].name, (uint32_t)(sum * SHARES / all)};
    }
    return out;
}

static struct sc_variant *variants_make(struct load *ld, const struct sc_list *arms)
{
    const struct doc_arm *doc = arms->v;
    struct sc_variant *out = SC_NEW_N(ld->ar, struct sc_variant, arms->n + 1);
    for (uint32_t i = 0; i < arms->n; ++i) {
        out[i] = (struct sc_variant){doc[i].message, !doc[i].send};
        if (!doc[i].send && doc[i].message.len > 0)
            sc_diag_add(ld->dg, SC_ERROR, "bad-experiment", load_mark(doc[i].at),
                        "arm '%.*s' sends nothing, and has a `message`", SC_STR_FMT(doc[i].name));
    }
    return out;
}

/* ---- the experiment */

static bool same(const struct sc_experiment *a, const struct sc_experiment *b)
{
    bool is = a->holdout_bp == b->holdout_bp && a->n_arms == b->n_arms;
    for (uint32_t i = 0; is && i < a->n_arms; ++i)
        is = sc_str_eq(a->arms[i].name, b->arms[i].name) && a->arms[i].until == b->arms[i].until;
    return is;
}

static int16_t intern(struct load *ld, const struct sc_experiment *ex)
{
    int at = find(ld, ex->name);
    if (at < 0 && ld->experiments.n == SC_EXPERIMENTS_MAX) {
        load_past(ld, &ld->experiments_past, ex->name, load_mark(ex->at));
        return -1;
    }
    if (at < 0) {
        SC_VEC_PUSH(ld->ar, &ld->experiments, *ex);
        return (int16_t)(ld->experiments.n - 1);
    }
    if (!same(ex, &ld->experiments.v[at]))
        sc_diag_add(ld->dg, SC_ERROR, "experiment-differs", load_mark(ex->at),
                    "experiment '%.*s' is another one here: its holdout, arms and weights must be "
                    "the same wherever it is named",
                    SC_STR_FMT(ex->name))
            ->decl = load_mark(ld->experiments.v[at].at);
    return (int16_t)at;
}

void load_experiment(struct load *ld, const struct doc_trigger *doc, struct sc_trigger *tr)
{
    const struct doc_experiment *de = &doc->experiment;
    SC_ASSERT(tr->experiment == -1);
    if (doc->experiment_at == NULL || de->name_at == NULL)
        return;
    if (de->name.len == 0 || sc_str_eqz(de->name, GLOBAL)) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-name", de->name_at->mark,
                    de->name.len == 0 ? "the experiment's name is empty"
                                      : "`holdout` is the experiment of the journey's `holdout`");
        return;
    }
    if (de->holdout_at == NULL && de->arms.n == 0) {
        sc_diag_add(ld->dg, SC_ERROR, "bad-experiment", doc->experiment_at->mark,
                    "an experiment has a `holdout`, `arms`, or both");
        return;
    }
    if (!arms_ok(ld, &de->arms))
        return;
    struct sc_experiment ex = {.name = de->name, .holdout_bp = de->holdout_bp,
                               .n_arms = de->arms.n, .at = de->name_at};
    ex.arms = arms_make(ld, &de->arms);
    tr->variants = variants_make(ld, &de->arms);
    tr->experiment = intern(ld, &ex);
}
