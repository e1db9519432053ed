\set customer random_zipfian(1, 50000, 1.1)
\set first random_zipfian(1, 19000, 1.1)
\set second :first + random(1, 1000)
BEGIN;
INSERT INTO orders (customer_id) VALUES (:customer) RETURNING order_id \gset
INSERT INTO order_items
SELECT :order_id, row_number() OVER (ORDER BY product_id), product_id, 1, price
FROM products WHERE product_id IN (:first, :second);
UPDATE stock SET quantity = quantity - 1
WHERE product_id IN (:first, :second) AND warehouse = 1;
COMMIT;
