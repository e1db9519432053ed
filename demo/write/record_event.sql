\set product random_zipfian(1, 20000, 1.1)
\set customer random_zipfian(1, 50000, 1.1)
INSERT INTO events (product_id, customer_id, kind)
VALUES (:product, :customer, 'view');
