#include "server.h"

#include <stdbool.h>
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t content_length(const char *head)
{
    const char *at = strstr(head, "Content-Length: ");
    return at ? strtoul(at + 16, NULL, 10) : 0;
}

static bool read_request(struct server *s, int fd)
{
    size_t n = 0;
    s->last[0] = '\0';
    while (n + 1 < sizeof(s->last)) {
        ssize_t got = read(fd, s->last + n, sizeof(s->last) - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        s->last[n] = '\0';
        const char *body = strstr(s->last, "\r\n\r\n");
        if (body && n >= (size_t)(body + 4 - s->last) + content_length(s->last))
            return true;
    }
    return false;
}

static const struct answer *find(const struct server *s)
{
    static const struct answer none = {"", 404, "{\"error_code\":404,\"message\":\"HTTP 404\"}"};
    const char *path = strchr(s->last, ' ') + 1;
    size_t n = strcspn(path, " ");
    for (const struct answer *a = s->answers; a->path; a++)
        if (strlen(a->path) == n && memcmp(a->path, path, n) == 0)
            return a;
    return &none;
}

static void respond(int fd, const struct answer *a)
{
    char head[256];
    size_t n = strlen(a->body ? a->body : "");
    if (a->status == 0)
        return;
    if (a->status == -1) { /* until the client has had enough */
        (void)!read(fd, head, sizeof(head));
        return;
    }
    int len = snprintf(head, sizeof(head),
                       "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%s"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                       a->status == -2 ? 200 : a->status,
                       a->status == 302 ? "Location: http://127.0.0.1:9/\r\n" : "",
                       a->status == -2 ? n + 100 : n);
    if (write(fd, head, (size_t)len) == len && n)
        (void)!write(fd, a->body, n); /* the client may have heard enough */
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        if (read_request(s, fd)) {
            s->requests++;
            respond(fd, find(s));
        }
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
    return NULL;
}

void server_start(struct server *s, const struct answer *answers)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    *s = (struct server){.answers = answers};
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(s->listener, (struct sockaddr *)&at, len), 0);
    cr_assert_eq(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    cr_assert_eq(listen(s->listener, 8), 0);
    cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}
