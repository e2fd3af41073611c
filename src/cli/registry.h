/* The registry as the workers see it, and our own schemas in it. */
#ifndef SC_CLI_REGISTRY_H
#define SC_CLI_REGISTRY_H

#include "cli/setup.h"
#include "codec/outbound.h"
#include "registry/registry.h"

/* How the settings reach the registry; without a folder for schemas. */
struct sc_registry_options sc_registry_options(const struct sc_setup *su);
/* What records of an output topic (from SC_OUT_TRANSITIONS on, not dead letters) are. */
enum sc_outbound sc_registry_kind(uint32_t topic);

/* Open the registry of the settings (none: *schemas NULL, OK), and register the schemas of outbound
 * topics that are Avro or Protobuf, filling their ids in. A registry that is down is waited for and
 * said, until *stop. */
enum sc_err sc_registry_open(struct sc_setup *su, _Atomic bool *stop,
                             struct sc_registry **registry, struct sc_schemas **schemas);
void sc_registry_close(struct sc_registry *registry);

#endif
