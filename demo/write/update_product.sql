\set product random_zipfian(1, 20000, 1.1)
\set percent random(95, 105)
UPDATE products
SET price = greatest(1, round(price * :percent / 100, 2)), updated_at = now()
WHERE product_id = :product;
