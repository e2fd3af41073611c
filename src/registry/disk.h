/* Schemas on disk: one file an id and registry, checksummed, whole or not there. Best effort: what
 * cannot be read or written is as if it were not there. */
#ifndef SC_REGISTRY_DISK_H
#define SC_REGISTRY_DISK_H

#include "engine/port.h"

/* `dir/<hash of the url>-<id>.schema`. */
struct sc_disk {
    struct sc_str dir; /* empty: no cache */
    uint64_t url_hash;
};

/* False with errno when the folder cannot be made. */
bool sc_disk_init(struct sc_disk *dk, struct sc_str dir, struct sc_str url, struct sc_arena *ar);
/* False when it is not there, damaged or of another version. */
bool sc_disk_read(const struct sc_disk *dk, uint32_t id, struct sc_arena *ar,
                  struct sc_schema_text *out);
bool sc_disk_write(const struct sc_disk *dk, uint32_t id, const struct sc_schema_text *schema);

#endif
