/* HTTP over libcurl (http.h): everything that knows curl. Redirects are not followed: credentials
 * go to the host that was configured and nowhere else. */
#include "registry/http.h"

#include "base/arena.h"
#include "base/assert.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct sc_http {
    CURL *curl;
    struct curl_slist *headers;
    struct sc_arena ar; /* what curl's options borrow */
    struct sc_str base;
    const char *host;
    struct sc_buf answer;
    char error[CURL_ERROR_SIZE];
};

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_body(char *p, size_t each, size_t n, void *arg)
{
    struct sc_buf *to = arg;
    if (to->len + each * n > SC_HTTP_BODY_MAX)
        return 0;
    sc_buf_add(to, p, each * n);
    return each * n;
}

static const char *z(struct sc_http *h, struct sc_str s)
{
    return sc_str_dup(&h->ar, s).p;
}

static enum sc_err refuse(char why[SC_REGISTRY_WHY], const char *what)
{
    snprintf(why, SC_REGISTRY_WHY, "%s", what);
    return SC_ERR_CONFIG;
}

/* http or https, a host, no user: passwords in URLs end up in logs. */
static enum sc_err check_url(struct sc_http *h, struct sc_str url, char why[SC_REGISTRY_WHY])
{
    struct sc_str rest = url;
    if (sc_str_starts(url, SC_STR("http://")))
        rest = (struct sc_str){url.p + 7, url.len - 7};
    else if (sc_str_starts(url, SC_STR("https://")))
        rest = (struct sc_str){url.p + 8, url.len - 8};
    else
        return refuse(why, "the registry's URL begins with neither http:// nor https://");
    size_t n = 0;
    while (n < rest.len && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#')
        n++;
    if (n == 0)
        return refuse(why, "the registry's URL has no host");
    if (memchr(rest.p, '@', n))
        return refuse(why, "the registry's URL holds a user: use username and password_file");
    if (n < rest.len &&
        (memchr(rest.p + n, '?', rest.len - n) || memchr(rest.p + n, '#', rest.len - n)))
        return refuse(why, "the registry's URL has a query");
    h->host = z(h, (struct sc_str){rest.p, n});
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    h->base = sc_str_dup(&h->ar, url);
    return SC_ERR_OK;
}

static void set_auth(struct sc_http *h, const struct sc_registry_options *o)
{
    if (o->token.len) {
        curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(h->curl, CURLOPT_XOAUTH2_BEARER, z(h, o->token));
    } else if (o->user.len) {
        curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(h->curl, CURLOPT_USERNAME, z(h, o->user));
        curl_easy_setopt(h->curl, CURLOPT_PASSWORD, z(h, o->password));
    }
    if (o->ca_file.len)
        curl_easy_setopt(h->curl, CURLOPT_CAINFO, z(h, o->ca_file));
    if (o->cert_file.len)
        curl_easy_setopt(h->curl, CURLOPT_SSLCERT, z(h, o->cert_file));
    if (o->key_file.len)
        curl_easy_setopt(h->curl, CURLOPT_SSLKEY, z(h, o->key_file));
}

static void set_up(struct sc_http *h, const struct sc_registry_options *o)
{
    long timeout = o->timeout_ms ? (long)o->timeout_ms : 10000;
    h->headers = curl_slist_append(h->headers, "Accept: application/vnd.schemaregistry.v1+json, "
                                               "application/json");
    h->headers = curl_slist_append(h->headers,
                                   "Content-Type: application/vnd.schemaregistry.v1+json");
    h->headers = curl_slist_append(h->headers, "Expect:");
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
    curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS, timeout < 3000 ? timeout : 3000L);
    curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "stagecoach/" SC_VERSION);
    curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->error);
    curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &h->answer);
    set_auth(h, o);
}

enum sc_err sc_http_create(const struct sc_registry_options *options, struct sc_http **out,
                           char why[SC_REGISTRY_WHY])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sc_http *h = sc_calloc(1, sizeof(*h));
    sc_arena_init(&h->ar);
    enum sc_err e = check_url(h, options->url, why);
    if (e == SC_ERR_OK && options->user.len && options->token.len)
        e = refuse(why, "the registry's settings hold a user and a token: one of the two");
    pthread_once(&once, global_init);
    h->curl = e == SC_ERR_OK ? curl_easy_init() : NULL;
    if (h->curl == NULL) {
        sc_http_destroy(h);
        return e == SC_ERR_OK ? refuse(why, "the HTTP client does not start") : e;
    }
    set_up(h, options);
    *out = h;
    return SC_ERR_OK;
}

void sc_http_destroy(struct sc_http *h)
{
    if (h->curl)
        curl_easy_cleanup(h->curl);
    curl_slist_free_all(h->headers);
    sc_buf_fini(&h->answer);
    sc_arena_fini(&h->ar);
    free(h);
}

static enum sc_err err_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_OK: return SC_ERR_OK;
    case CURLE_OPERATION_TIMEDOUT: return SC_ERR_TIMEOUT;
    case CURLE_WRITE_ERROR: return SC_ERR_TOO_LARGE; /* on_body refused */
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_NOT_BUILT_IN: return SC_ERR_CONFIG;
    default: return SC_ERR_UNAVAILABLE; /* no route, refused, reset, cut short: may pass */
    }
}

enum sc_err sc_http_call(struct sc_http *h, const char *path, const char *body, long *status,
                         struct sc_str *answer, char why[SC_REGISTRY_WHY])
{
    struct sc_buf url = {0};
    SC_ASSERT(path[0] == '/');
    sc_buf_addf(&url, "%.*s%s", SC_STR_FMT(h->base), path);
    sc_buf_char(&url, '\0');
    curl_easy_setopt(h->curl, CURLOPT_URL, url.p);
    if (body) {
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
    }
    h->answer.len = 0;
    h->error[0] = '\0';
    CURLcode rc = curl_easy_perform(h->curl);
    sc_buf_fini(&url);
    if (rc != CURLE_OK)
        snprintf(why, SC_REGISTRY_WHY, "%.100s: %.140s", h->host,
                 h->error[0] ? h->error : curl_easy_strerror(rc));
    else
        curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, status);
    *answer = sc_buf_view(&h->answer);
    return err_of(rc);
}

void sc_http_escape(struct sc_buf *to, struct sc_str segment)
{
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            sc_buf_char(to, (char)c);
        else
            sc_buf_addf(to, "%%%02X", c);
    }
}

const char *sc_http_host(const struct sc_http *h)
{
    return h->host;
}
