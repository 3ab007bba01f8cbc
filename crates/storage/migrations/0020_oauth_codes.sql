-- What a code carries until it is redeemed: an account that is written only then, sealed, and what the session had proven
-- that the new one goes on from, as JSON.

ALTER TABLE oauth_authorization_codes ADD COLUMN arrival_sealed BYTEA;
ALTER TABLE oauth_authorization_codes ADD COLUMN proven TEXT;
