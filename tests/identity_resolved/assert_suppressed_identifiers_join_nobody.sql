-- No pair was accepted on the strength of an identifier that counts for nothing.
select scores.pair_key, suppressed.identifier_key, suppressed.suppressed_because
from {{ ref('idr_pair_scores') }} as scores
inner join {{ ref('idr_suppressed_identifiers') }} as suppressed
    on suppressed.identifier_key in (
        concat('email:', scores.same_email), concat('phone:', scores.same_phone),
        concat('national_id:', scores.same_national_id), concat('address:', scores.same_address)
    )
where scores.is_accepted
