UPDATE accounts SET balance = 100;
