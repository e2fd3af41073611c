/* Experiments: who is held out, and who gets which arm (semantics 32).
 *
 * Two draws of 0..9,999 from the experiment's name and the customer's id, one for the holdout and
 * one for the arms, each cut into contiguous ranges. So a weight that changes moves only those
 * between the old cut and the new one, and a wider holdout moves nobody from arm to arm. Nothing is
 * stored: after a merge the draw is that of the customer's id. Only a holdout is kept (held_out),
 * because who was held out on either side stays so (semantics 7). */
#include "core/journey/run.h"

#include "base/assert.h"
#include "base/hash.h"

#define BUCKETS 10000u

enum draw { DRAW_HOLDOUT, DRAW_ARM };

static uint32_t bucket(const struct sc_experiment *ex, const struct sc_node_id *customer,
                       enum draw draw)
{
    SC_ASSERT(ex->name.len > 0);
    SC_ASSERT(!sc_node_none(customer));
    uint64_t seed = sc_hash_xxh3(ex->name.p, ex->name.len, (uint64_t)draw);
    return (uint32_t)(sc_hash_xxh3(customer->b, sizeof(customer->b), seed) % BUCKETS);
}

bool sc_experiment_holds_out(const struct sc_experiment *ex, const struct sc_node_id *customer)
{
    SC_ASSERT(ex->holdout_bp >= 0 && ex->holdout_bp <= (int32_t)BUCKETS);
    return (int32_t)bucket(ex, customer, DRAW_HOLDOUT) < ex->holdout_bp;
}

int sc_experiment_arm(const struct sc_experiment *ex, const struct sc_state *st)
{
    SC_ASSERT(ex->n_arms == 0 || ex->arms[ex->n_arms - 1].until == BUCKETS);
    if (sc_experiment_holds_out(ex, &st->node))
        return SC_ARM_HELD_OUT;
    for (uint32_t i = 0; i < st->held_out.n; i++)
        if (sc_str_eq(st->held_out.v[i], ex->name))
            return SC_ARM_HELD_OUT;
    uint32_t drawn = ex->n_arms > 0 ? bucket(ex, &st->node, DRAW_ARM) : 0;
    for (uint32_t a = 0; a < ex->n_arms; a++)
        if (drawn < ex->arms[a].until)
            return (int)a;
    return SC_ARM_NONE;
}

struct sc_str sc_experiment_arm_name(const struct sc_experiment *ex, int arm)
{
    SC_ASSERT(arm < (int)ex->n_arms);
    if (arm == SC_ARM_HELD_OUT)
        return SC_STR("holdout");
    return arm == SC_ARM_NONE ? SC_STR("everyone") : ex->arms[arm].name;
}

int16_t sc_experiment_of(const struct sc_journey *jo, const struct sc_trigger *tr,
                         const struct sc_state *st, int16_t *arm)
{
    SC_ASSERT(tr->experiment < (int)jo->n_experiments && jo->holdout < (int)jo->n_experiments);
    int16_t ex = tr->experiment;
    *arm = SC_ARM_NONE;
    if (jo->holdout >= 0 && !tr->service &&
        sc_experiment_arm(&jo->experiments[jo->holdout], st) == SC_ARM_HELD_OUT) {
        *arm = SC_ARM_HELD_OUT;
        return jo->holdout;
    }
    if (ex >= 0)
        *arm = (int16_t)sc_experiment_arm(&jo->experiments[ex], st);
    return ex;
}

void sc_experiment_tell(struct sc_run *rn, struct sc_effect *fx)
{
    uint32_t n = rn->jo->n_experiments;
    if (n == 0)
        return;
    int16_t *arms = SC_NEW_N(rn->fx->ar, int16_t, n);
    for (uint32_t i = 0; i < n; i++)
        arms[i] = (int16_t)sc_experiment_arm(&rn->jo->experiments[i], rn->st);
    SC_ASSERT(fx->arms == NULL);
    fx->arms = arms;
}

struct sc_str sc_effect_message(const struct sc_journey *jo, const struct sc_effect *fx)
{
    SC_ASSERT(fx->trigger >= 0 && (uint32_t)fx->trigger < jo->n_triggers);
    const struct sc_trigger *tr = &jo->triggers[fx->trigger];
    bool own = fx->arm >= 0 && tr->variants[fx->arm].message.len > 0;
    return own ? tr->variants[fx->arm].message : tr->message;
}
