/* Where an effect goes: what a consumer of one topic must see there (semantics 25, 40). */
#include "codec/outbound.h"

#include <criterion/criterion.h>

Test(outbound, a_withdrawal_follows_the_message_it_withdraws)
{
    struct sc_effect sent = {.type = SC_FX_TRIGGER, .channel = 1};
    struct sc_effect withdrawn = {.type = SC_FX_CANCELLED, .channel = 1};
    struct sc_effect never_sent = {.type = SC_FX_CANCELLED, .channel = -1};
    cr_expect_eq(sc_outbound_kind(&sent), SC_OB_TRIGGER);
    cr_expect_eq(sc_outbound_kind(&withdrawn), SC_OB_TRIGGER);
    cr_expect_eq(sc_outbound_kind(&never_sent), SC_OB_SUPPRESSED);
}
