\set product random_zipfian(1, 20000, 1.1)
SELECT sum(quantity) AS available FROM stock WHERE product_id = :product;
