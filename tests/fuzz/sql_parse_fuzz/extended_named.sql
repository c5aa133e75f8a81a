SELECT forecast(s, 12, method => 'holt', step => 1h) FROM x
