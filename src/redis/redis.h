/* Redis: the view port on hiredis. Keys, all behind the prefix (`sc:<group>:`), docs/formats.md:
 *
 *   {p<n>}:stamp         hash: i incarnation, v view, o offset in the state log; f, c: the flush that
 *                        is being written and its last chunk
 *   {p<n>}:s:<view>:<b>  hash: node -> stored state; b = 0…1023 by the node's last bytes
 *   {p<n>}:t:<view>      sorted set: node by due time
 *   h:<node>             parent of a node: a hint
 *
 * Two connections a worker: one blocking for reads, one non-blocking for flushes. */
#ifndef SC_REDIS_REDIS_H
#define SC_REDIS_REDIS_H

#include "engine/port.h"
#include "redis/conn.h"

/* Connects when first used; a server that is down is UNAVAILABLE, never fatal. */
struct sc_view *sc_redis_view_create(const struct sc_redis_config *cfg);

#endif
