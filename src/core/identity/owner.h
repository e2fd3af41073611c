/* Between the files of the owner: who decides what of a node's identity. Private to this folder.
 *
 *   owner.c        links and events at the larger root, aliases, the way home
 *   owner_join.c   STATE, RETURN: the winner absorbs or refuses
 *   owner_part.c   SPLIT, LEAVE, ASK, ERASE: nodes that go their own way again
 *
 * A node is a root (a customer, or nobody yet), an alias of a smaller node, or erased. Its owner is
 * the only one that changes it. An alias keeps the members that came to the customer through it, so
 * that it can take them along when it is split off. */
#ifndef SC_CORE_OWNER_H
#define SC_CORE_OWNER_H

#include "core/journey/run.h"

/* Past so many hops a record ends where it is: no protocol fault may keep it for ever. Far above
 * SC_HOPS_MAX, since each link of its own costs a few. */
#define SC_HOPS_LOST 200

/* An ASK for where a node is, not whether it is still of a generation. */
#define SC_GEN_ANY UINT32_MAX

struct sc_owner {
    const struct sc_journey *jo;
    struct sc_state *st;
    const struct sc_input *in;
    const struct sc_record *rec;
    struct sc_effects *fx;
};

/* owner.c */
/* A record of `kind` to `to`, with the evidence of the one being handled. */
struct sc_record *sc_owner_send(struct sc_owner *ow, enum sc_record_kind kind,
                                const struct sc_node_id *to);
/* Two identifiers as a link of which nothing is known: each its own root. */
struct sc_link sc_owner_pair(const struct sc_node_id *x, const struct sc_node_id *y);
/* Join two identifiers, wherever they are now. */
void sc_owner_link(struct sc_owner *ow, const struct sc_node_id *x, const struct sc_node_id *y);
/* At an alias: a record goes on to the parent; it says through whom it came. */
void sc_owner_forward(struct sc_owner *ow, const struct sc_record *rec);
/* At a root: is what came through `via` (or is of `node`) meant for this customer? */
bool sc_owner_admits(const struct sc_owner *ow, const struct sc_record *rec,
                     const struct sc_node_id *node);
/* It is not: back to whom it came through, or to the node itself. */
void sc_owner_send_back(struct sc_owner *ow, const struct sc_record *rec,
                        const struct sc_node_id *node);
/* An audit record of what happened to `node`. */
struct sc_effect *sc_owner_audit(struct sc_owner *ow, enum sc_identity_action action,
                                 const struct sc_node_id *node);
/* Every id the customer ever had, everybody in it: copies, for the state goes on. */
void sc_owner_tell_former(struct sc_owner *ow, struct sc_effect *fx);
void sc_owner_tell_members(struct sc_owner *ow, struct sc_effect *fx);
/* What joined, or was to join: a pair of identifiers; its rule is "namespace + namespace". */
void sc_owner_caused(struct sc_owner *ow, struct sc_effect *fx, const struct sc_link *link);
void sc_owner_hint(struct sc_owner *ow, const struct sc_node_id *child,
                   const struct sc_node_id *parent);
struct sc_member *sc_owner_member(const struct sc_state *st, const struct sc_node_id *node);
/* Start over: a root that nobody has been yet. Keeps node, generation, erased_ms. */
void sc_owner_reset(struct sc_owner *ow);
bool sc_owner_refuses(const struct sc_state *st, const struct sc_node_id *node);
void sc_owner_forbid(struct sc_state *st, const struct sc_node_id *node);
const struct sc_namespace *sc_owner_namespace(const struct sc_journey *jo,
                                              const struct sc_node_id *node);
/* Has the customer another identifier of the node's unique namespace (and key version)? Those two are
 * two people. */
bool sc_owner_has_rival(const struct sc_journey *jo, const struct sc_state *st,
                        const struct sc_node_id *node);
/* A link was refused: the weaker identifier goes its own way, ambiguous (semantics 5); a unique one
 * stays who it is, and the violation is said here. */
void sc_owner_violation(struct sc_owner *ow, const struct sc_link *link,
                        enum sc_violation violation);

/* owner_join.c */
void sc_owner_state(struct sc_owner *ow);
void sc_owner_return(struct sc_owner *ow);

/* owner_part.c */
/* No member any more, if it was one. */
void sc_owner_drop(struct sc_state *st, const struct sc_node_id *node);
/* Members that came through `gone`, which is no member any more, go as well, since nothing else says
 * whose they are. What they brought themselves stays with them; unless `gone` turned out to be no
 * one person's, so do they with it. */
void sc_owner_let_go(struct sc_owner *ow, const struct sc_node_id *gone);
void sc_owner_split(struct sc_owner *ow);
void sc_owner_leave(struct sc_owner *ow);
void sc_owner_ask(struct sc_owner *ow);
void sc_owner_erase_record(struct sc_owner *ow);

#endif
