/* One HTTP request at a time to the registry, over a kept connection (libcurl). */
#ifndef SC_REGISTRY_HTTP_H
#define SC_REGISTRY_HTTP_H

#include "registry/registry.h"

#define SC_HTTP_BODY_MAX (4u << 20)

struct sc_http;

enum sc_err sc_http_create(const struct sc_registry_options *options, struct sc_http **out,
                           char why[SC_REGISTRY_WHY]);
void sc_http_destroy(struct sc_http *h);
/* GET, or POST when `body` is not NULL, of base URL + path. OK: some answer came, with its status
 * and body (borrowed until the next call); otherwise a sentence in `why`. */
enum sc_err sc_http_call(struct sc_http *h, const char *path, const char *body, long *status,
                         struct sc_str *answer, char why[SC_REGISTRY_WHY]);
/* One segment of a path, percent-encoded, appended. */
void sc_http_escape(struct sc_buf *to, struct sc_str segment);
/* "host:port" of the URL, for messages. */
const char *sc_http_host(const struct sc_http *h);

#endif
