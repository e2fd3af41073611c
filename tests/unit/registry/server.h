/* A tiny HTTP server for the tests: canned answers by path, and every fault a server can have. */
#ifndef SC_TEST_SERVER_H
#define SC_TEST_SERVER_H

#include <pthread.h>

struct answer {
    const char *path;  /* "/schemas/ids/7"; NULL ends the table */
    int status;        /* 0: close without a word; -1: answer never; -2: cut the body short */
    const char *body;
};

struct server {
    const struct answer *answers;
    int listener, port;
    pthread_t thread;
    int requests;         /* so far; read it between calls only */
    char last[8192];      /* the last request, head and body */
};

/* On a free loopback port, one connection at a time. */
void server_start(struct server *s, const struct answer *answers);
void server_stop(struct server *s);

#endif
