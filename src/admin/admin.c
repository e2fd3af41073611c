/* See admin.h. One internal thread of libmicrohttpd; requests are small and answered at once. */
#include "admin/admin.h"

#include "base/log.h"
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

struct sc_admin {
    struct MHD_Daemon *daemon;
    struct sc_worker *const *workers;
    uint32_t n;
    struct sc_str token;
};

/* Equal in time that does not depend on where they differ. */
static bool same_secret(struct sc_str a, struct sc_str b)
{
    unsigned char differ = a.len != b.len;
    for (size_t i = 0; i < a.len && i < b.len; i++)
        differ |= (unsigned char)(a.p[i] ^ b.p[i]);
    return differ == 0;
}

static bool allowed(const struct sc_admin *ad, struct MHD_Connection *c)
{
    static const char bearer[] = "Bearer ";
    if (ad->token.len == 0)
        return true;
    const char *auth = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    return auth && strncmp(auth, bearer, sizeof(bearer) - 1) == 0 &&
           same_secret(sc_str_from(auth + sizeof(bearer) - 1), ad->token);
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const struct sc_buf *body,
                              const char *type)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body->len, body->p, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(r, "Content-Type", type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    enum MHD_Result rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return rc;
}

static unsigned page(const struct sc_admin *ad, struct MHD_Connection *c, const char *url,
                     struct sc_buf *out)
{
    bool verbose =
        MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "verbose") != NULL ||
        MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0;
    if (strcmp(url, "/livez") == 0) {
        sc_buf_addz(out, "ok\n");
        return MHD_HTTP_OK;
    }
    bool ready_page = strcmp(url, "/readyz") == 0;
    if (!ready_page && strcmp(url, "/metrics") != 0) {
        sc_buf_addz(out, "there are /livez, /readyz and /metrics\n");
        return MHD_HTTP_NOT_FOUND;
    }
    if ((verbose || !ready_page) && !allowed(ad, c)) {
        sc_buf_addz(out, "a bearer token is needed\n");
        return MHD_HTTP_UNAUTHORIZED;
    }
    if (ready_page)
        return sc_admin_ready(ad->workers, ad->n, verbose, out) ? MHD_HTTP_OK
                                                                : MHD_HTTP_SERVICE_UNAVAILABLE;
    sc_admin_metrics(ad->workers, ad->n, out);
    return MHD_HTTP_OK;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)version, (void)upload, (void)state;
    struct sc_buf body = {0};
    unsigned status = MHD_HTTP_METHOD_NOT_ALLOWED;
    if (*upload_size) { /* not wanted: read and forgotten */
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        status = page(arg, c, url, &body);
    else
        sc_buf_addz(&body, "only GET\n");
    enum MHD_Result rc = answer(c, status, &body, "text/plain; version=0.0.4; charset=utf-8");
    sc_buf_fini(&body);
    return rc;
}

static struct MHD_Daemon *listen_on(struct sc_admin *ad, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE},
                    *found;
    if (getaddrinfo(*host ? host : NULL, port, &hints, &found))
        return NULL;
    unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD;
    if (found->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    struct MHD_Daemon *d = MHD_start_daemon(flags, 0, NULL, NULL, on_request, ad,
                                            MHD_OPTION_SOCK_ADDR, found->ai_addr,
                                            MHD_OPTION_CONNECTION_LIMIT, 64u,
                                            MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
    freeaddrinfo(found);
    return d;
}

struct sc_admin *sc_admin_start(struct sc_str where, struct sc_str token,
                                struct sc_worker *const *workers, uint32_t n)
{
    char host[256];
    const char *colon = memrchr(where.p, ':', where.len);
    struct sc_admin *ad = sc_calloc(1, sizeof(*ad));
    *ad = (struct sc_admin){.workers = workers, .n = n, .token = token};
    if (colon && where.len < sizeof(host)) {
        snprintf(host, sizeof(host), "%.*s", SC_STR_FMT(where));
        host[colon - where.p] = '\0';
        char *name = host;
        size_t len = strlen(name);
        if (len > 1 && name[0] == '[' && name[len - 1] == ']') { /* [::1]:9480 */
            name[len - 1] = '\0';
            name++;
        }
        ad->daemon = listen_on(ad, name, host + (colon - where.p) + 1);
    }
    if (ad->daemon)
        return ad;
    sc_logf(SC_LOG_ERROR, "admin", "cannot listen on '%.*s': take a free host:port in admin.listen,"
            " or switch it off", SC_STR_FMT(where));
    free(ad);
    return NULL;
}

void sc_admin_stop(struct sc_admin *ad)
{
    if (ad == NULL)
        return;
    MHD_stop_daemon(ad->daemon);
    free(ad);
}
