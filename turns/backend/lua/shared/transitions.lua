local AFTER = POLICY.transitions  -- AFTER[status][event] is the next status
