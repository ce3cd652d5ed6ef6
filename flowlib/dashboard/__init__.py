"""
How does a store look in a browser? Pages and a JSON API over records and runs; runs nothing.

    serving ─ app ─┬─ guard                    who may ask, and what a browser may do with answers
                   ├─ pages, api, stream       what is answered: HTML, JSON, events
                   └─ catalogue, live_runs     what is known of the store, kept up to date

Needs the extra `dashboard`.
"""
