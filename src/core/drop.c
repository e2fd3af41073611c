/* The table of drop.h as an array. */
#include "core/drop.h"
#include "base/assert.h"

static const struct {
    const char *label, *stage, *text;
    bool dead_letter;
} drops[SC_DROP_COUNT] = {
#define ROW(name, label, stage, dead, text) [SC_DROP_##name] = {label, stage, text, dead},
    SC_DROP_TABLE(ROW)
#undef ROW
};

const char *sc_drop_label(enum sc_drop d)
{
    SC_ASSERT((unsigned)d < SC_DROP_COUNT);
    return drops[d].label;
}

const char *sc_drop_stage(enum sc_drop d)
{
    SC_ASSERT((unsigned)d < SC_DROP_COUNT);
    return drops[d].stage;
}

const char *sc_drop_text(enum sc_drop d)
{
    SC_ASSERT((unsigned)d < SC_DROP_COUNT);
    return drops[d].text;
}

bool sc_drop_dead_letter(enum sc_drop d)
{
    SC_ASSERT((unsigned)d < SC_DROP_COUNT);
    return drops[d].dead_letter;
}
