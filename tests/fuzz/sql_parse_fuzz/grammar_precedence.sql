SELECT NOT a = b AND c OR d, (a OR b) AND c, a || b + c * -d, - -1, -(1), (a - b) - c, a - (b - c), (NOT a) = b, (a = b) = (c = d), a.b.c[1].d, (a).b, (1).x, f(x)[2].y, NOT (a AND (b AND c))
