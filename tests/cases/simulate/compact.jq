# Effects one a line, as a person would note them, in place of the full records:
#
#   AT trigger    #ID RULE CUSTOMER EVENTS CHANNEL [key=K] [template] [arm=A], of an experiment
#   AT suppressed #ID RULE CUSTOMER EVENTS REASON [key=K]
#   AT deferred   #ID RULE CUSTOMER EVENTS REASON until=T [key=K]
#   AT cancelled  #ID RULE CUSTOMER EVENTS [key=K]
#   AT transition [TRACK/]FROM>TO CUSTOMER EVENTS CAUSE [back] after=MS [EXPERIMENT:ARM,…]
#   EVENT_AT milestone NAME CUSTOMER EVENTS [told=AT]
#   summary COUNT=N …, those that are not 0
#
# Trigger ids are numbered in order of appearance, so that the same number is the same id.
def word($name; $value): if $value == null then empty else "\($name)=\($value)" end;
def message($n): [.at, .type, "#\($n)", .rule, .customer, (.events | join(",")), .reason // empty,
                  .channel // empty, word("until"; .until), word("key"; .key),
                  (if .template_only then "template" else empty end), word("arm"; .arm)];
def line($n):
  if .type == "summary" then
    [.type, (to_entries[] | select(.value != 0 and .key != "type") | "\(.key)=\(.value)")]
  elif .type == "transition" then
    [.at, .type, "\(if .track then "\(.track)/" else "" end)\(.from // "-")>\(.to)", .customer, (.events | join(",")), .cause,
     (if .back then "back" else empty end), "after=\(.in_stage_ms / 60000)m",
     (if .arms then .arms | to_entries | map("\(.key):\(.value)") | join(",") else empty end)]
  elif .type == "milestone" then
    [.event_at, .type, .rule, .customer, (.events | join(",")),
     (if .at != .event_at then "told=\(.at)" else empty end)]
  else message($n) end | join(" ");
foreach inputs as $e ({ids: {}};
  if $e.id and (.ids[$e.id] | not) then .ids[$e.id] = (.ids | length) + 1 else . end;
  .ids[$e.id // ""] as $n | $e | line($n))
