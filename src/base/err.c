/* The table of err.h as arrays. */
#include "base/err.h"
#include "base/assert.h"

static const struct {
    const char *label, *text;
    bool retriable;
} errors[SC_ERR_COUNT] = {
#define ROW(name, label, retry, text) [SC_ERR_##name] = {label, text, retry},
    SC_ERR_TABLE(ROW)
#undef ROW
};

const char *sc_err_name(enum sc_err e)
{
    SC_ASSERT((unsigned)e < SC_ERR_COUNT);
    return errors[e].label;
}

const char *sc_err_text(enum sc_err e)
{
    SC_ASSERT((unsigned)e < SC_ERR_COUNT);
    return errors[e].text;
}

bool sc_err_retriable(enum sc_err e)
{
    SC_ASSERT((unsigned)e < SC_ERR_COUNT);
    return errors[e].retriable;
}
